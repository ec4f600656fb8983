from datetime import timedelta
from unittest import mock

from django.utils import timezone

from orbit.models import Activity, Client, Contract, Opportunity
from tests.base import ApiTestCase


class OpportunityListTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        now = timezone.now()
        Opportunity.objects.bulk_create(
            Opportunity(
                name=f"Opportunity {number:03d}",
                overview="needle" if number == 5 else "",
                value=number,
                status="won" if number % 2 else "active",
                closed_at=now if number % 2 else None,
                created_at=now - timedelta(days=number + 1),
            )
            for number in range(120)
        )

    def names(self, **query):
        return [row["name"] for row in self.get("opportunities/", **query).json()["results"]]

    def test_newest_first_ten_at_a_time(self):
        answer = self.get("opportunities/").json()
        self.assertEqual(answer["count"], 121)
        self.assertEqual(len(answer["results"]), 10)
        self.assertEqual(answer["results"][0]["name"], "Scanners")
        self.assertIn("limit=10&offset=10", answer["next"])
        self.assertIsNone(answer["previous"])

    def test_limit_and_offset(self):
        self.assertEqual(self.names(limit=2, offset=1), ["Opportunity 000", "Opportunity 001"])
        self.assertEqual(len(self.names(limit=1000)), 100)
        self.assertEqual(self.names(offset=1000), [])

    def test_status(self):
        self.assertEqual(self.get("opportunities/", status="won").json()["count"], 60)

    def test_unknown_status(self):
        response = self.get("opportunities/", status="open")
        self.assertEqual(response.status_code, 400)
        self.assertEqual(
            response.json(), {"status": ["Select a valid choice. open is not one of the available choices."]}
        )

    def test_client(self):
        self.assertEqual(self.names(client=self.customer.pk), ["Scanners"])

    def test_unknown_client(self):
        response = self.get("opportunities/", client=9999)
        self.assertEqual(response.status_code, 400)
        self.assertEqual(
            response.json(), {"client": ["Select a valid choice. That choice is not one of the available choices."]}
        )

    def test_search_and_ordering(self):
        self.assertEqual(self.names(search="needle"), ["Opportunity 005"])
        self.assertEqual(self.names(ordering="-value", limit=1), ["Opportunity 119"])

    def test_queries_do_not_grow_with_the_list(self):
        # The key, the count, the rows.
        with self.assertNumQueries(3):
            self.get("opportunities/", limit=100)


class OpportunityTests(ApiTestCase):
    def create(self, **body):
        return self.post("opportunities/", {"name": "New", **body})

    def test_shape(self):
        answer = self.get(f"opportunities/{self.opportunity.pk}/").json()
        self.assertEqual(answer["client"], {"id": self.customer.pk, "name": "Customer"})
        self.assertEqual(
            set(answer),
            {
                "id",
                "name",
                "status",
                "client",
                "value",
                "stage",
                "overview",
                "created_at",
                "closed_at",
                "close_reason",
            },
        )

    def test_create(self):
        response = self.create(client_id=self.customer.pk, value="0.10", stage="proposal")
        self.assertEqual(response.status_code, 201)
        answer = response.json()
        self.assertEqual(answer["client"], {"id": self.customer.pk, "name": "Customer"})
        self.assertEqual((answer["value"], answer["status"], answer["stage"]), ("0.10", "active", "proposal"))

    def test_create_with_a_name_only(self):
        answer = self.create().json()
        self.assertEqual((answer["client"], answer["value"], answer["stage"]), (None, None, "lead"))

    def test_largest_value(self):
        self.assertEqual(self.create(value="9999999999.99").json()["value"], "9999999999.99")

    def test_field_errors(self):
        response = self.create(name="", value="-1", client_id=9999, stage="done")
        self.assertEqual(response.status_code, 400)
        self.assertEqual(
            response.json(),
            {
                "name": ["This field may not be blank."],
                "value": ["Ensure this value is greater than or equal to 0."],
                "client_id": ['Invalid pk "9999" - object does not exist.'],
                "stage": ['"done" is not a valid choice.'],
            },
        )

    def test_a_priced_stage_needs_a_value(self):
        response = self.create(stage="proposal")
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response.json(), {"non_field_errors": ["An opportunity in stage proposal needs a value."]})

    def test_a_partial_update_cannot_evade_the_rule(self):
        path = f"opportunities/{self.opportunity.pk}/"
        self.assertEqual(self.patch(path, {"stage": "proposal"}).status_code, 400)
        self.assertEqual(self.patch(path, {"stage": "proposal", "value": "1"}).status_code, 200)
        self.assertEqual(self.patch(path, {"value": None}).status_code, 400)

    def test_a_name_is_unique_for_its_client(self):
        response = self.create(name="Scanners", client_id=self.customer.pk)
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response.json(), {"non_field_errors": ["The fields client_id, name must make a unique set."]})
        other = Client.objects.create(name="Other")
        self.assertEqual(self.create(name="Scanners", client_id=other.pk).status_code, 201)
        for _ in range(2):
            self.assertEqual(self.create(name="Scanners").status_code, 201)

    def test_partial_update(self):
        path = f"opportunities/{self.opportunity.pk}/"
        self.assertEqual(self.patch(path, {}).json()["client"]["name"], "Customer")
        self.assertIsNone(self.patch(path, {"client_id": None}).json()["client"])

    def test_update(self):
        response = self.client.put(
            f"/api/v1/orbit/opportunities/{self.opportunity.pk}/", {"name": "Renamed"}, format="json"
        )
        self.assertEqual((response.status_code, response.json()["name"]), (200, "Renamed"))

    def test_the_status_cannot_be_written(self):
        answer = self.patch(f"opportunities/{self.opportunity.pk}/", {"status": "won"}).json()
        self.assertEqual(answer["status"], "active")

    def test_delete(self):
        response = self.delete(f"opportunities/{self.opportunity.pk}/")
        self.assertEqual((response.status_code, response.content), (204, b""))
        self.assertEqual(self.get(f"opportunities/{self.opportunity.pk}/").status_code, 404)

    def test_delete_with_a_contract(self):
        Contract.objects.create(opportunity=self.opportunity, title="Contract", document="contracts/x.txt")
        response = self.delete(f"opportunities/{self.opportunity.pk}/")
        self.assertEqual(response.status_code, 409)
        self.assertEqual(response.json(), {"detail": "This opportunity still has 1 contract."})

    def test_a_failed_log_entry_undoes_the_write(self):
        self.client.raise_request_exception = False
        with mock.patch("orbit.views.log_activity", side_effect=RuntimeError), self.assertLogs("django.request"):
            self.assertEqual(self.create().status_code, 500)
        self.assertFalse(Opportunity.objects.filter(name="New").exists())


class CloseTests(ApiTestCase):
    def close(self, **body):
        return self.post(f"opportunities/{self.opportunity.pk}/close/", body)

    def test_close(self):
        response = self.close(outcome="lost", reason="Price.")
        self.assertEqual(response.status_code, 200)
        answer = response.json()
        self.assertEqual((answer["status"], answer["close_reason"]), ("lost", "Price."))
        self.assertIsNotNone(answer["closed_at"])

    def test_closed_already(self):
        self.close(outcome="won")
        response = self.close(outcome="lost")
        self.assertEqual(response.status_code, 409)
        self.assertEqual(response.json(), {"detail": "This opportunity is already closed as won."})
        self.assertEqual(Activity.objects.filter(kind="closed").count(), 1)

    def test_outcomes(self):
        self.assertEqual(self.close().json(), {"outcome": ["This field is required."]})
        self.assertEqual(self.close(outcome="active").json(), {"outcome": ['"active" is not a valid choice.']})

    def test_unknown_opportunity(self):
        response = self.post("opportunities/9999/close/", {"outcome": "won"})
        self.assertEqual(response.status_code, 404)
        self.assertEqual(response.json(), {"detail": "No Opportunity matches the given query."})


class ActivityTests(ApiTestCase):
    def test_the_log_writes_itself(self):
        created = self.post("opportunities/", {"name": "New"}).json()
        self.patch(f"opportunities/{created['id']}/", {"overview": "Text", "name": "Newer", "status": "won", "nmae": 1})
        self.sign_in(self.ada)
        self.post(f"opportunities/{created['id']}/close/", {"outcome": "won"})
        entries = self.get("activities/", opportunity=created["id"]).json()["results"]
        prefix = self.key.partition(".")[0]
        self.assertEqual(
            [(entry["kind"], entry["summary"], entry["actor"]) for entry in entries],
            [
                ("closed", "Closed as won.", "user:ada"),
                ("updated", "Set name, overview.", f"key:{prefix}"),
                ("created", "Opportunity created.", f"key:{prefix}"),
            ],
        )

    def test_cursor(self):
        Activity.objects.bulk_create(
            Activity(opportunity=self.opportunity, kind="call", summary=str(number), actor="user:ada")
            for number in range(5)
        )
        first = self.get("activities/", page_size=3).json()
        self.assertEqual(set(first), {"next", "previous", "results"})
        second = self.client.get(first["next"]).json()
        summaries = [entry["summary"] for entry in first["results"] + second["results"]]
        self.assertEqual(summaries, ["4", "3", "2", "1", "0"])
        self.assertIsNone(second["next"])

    def test_bad_cursor(self):
        response = self.get("activities/", cursor="nonsense")
        self.assertEqual((response.status_code, response.json()), (404, {"detail": "Invalid cursor"}))

    def test_filters(self):
        self.assertEqual(self.get("activities/", kind="call").json()["results"], [])
        self.assertEqual(self.get("activities/", kind="dance").status_code, 400)

    def test_read_only(self):
        self.assertEqual(self.post("activities/", {}).status_code, 405)
