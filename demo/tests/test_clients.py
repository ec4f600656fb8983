from orbit.models import Client, Contact
from tests.base import ApiTestCase


class ClientTests(ApiTestCase):
    def test_shape(self):
        answer = self.get(f"clients/{self.customer.pk}/").json()
        self.assertEqual(answer.pop("created_at")[-1], "Z")
        self.assertEqual(
            answer,
            {
                "id": self.customer.pk,
                "name": "Customer",
                "legal_name": None,
                "client_type": "prospect",
                "vertical": None,
                "overview": "",
            },
        )

    def test_pages(self):
        Client.objects.bulk_create(Client(name=f"Client {number:02d}") for number in range(60))
        self.assertEqual(len(self.get("clients/").json()["results"]), 20)
        self.assertEqual(len(self.get("clients/", page_size=1000).json()["results"]), 50)
        page = self.get("clients/", page=2, page_size=50).json()
        self.assertEqual((page["count"], len(page["results"])), (61, 11))
        response = self.get("clients/", page=99)
        self.assertEqual((response.status_code, response.json()), (404, {"detail": "Invalid page."}))

    def test_filters_and_search(self):
        Client.objects.create(name="Bank", legal_name="Savings Inc.", vertical="finance", client_type="customer")
        for query in ({"vertical": "finance"}, {"client_type": "customer"}, {"search": "savings"}):
            with self.subTest(query):
                self.assertEqual(self.get("clients/", **query).json()["count"], 1)

    def test_create_update_delete(self):
        created = self.post("clients/", {"name": "さくら 🥐", "vertical": None, "legal_name": None})
        self.assertEqual(created.status_code, 201)
        path = f"clients/{created.json()['id']}/"
        self.assertEqual(self.patch(path, {"client_type": "partner"}).json()["client_type"], "partner")
        self.assertEqual(self.delete(path).status_code, 204)

    def test_a_name_is_unique(self):
        response = self.post("clients/", {"name": "Customer"})
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response.json(), {"name": ["client with this name already exists."]})

    def test_delete_with_opportunities(self):
        response = self.delete(f"clients/{self.customer.pk}/")
        self.assertEqual(response.status_code, 409)
        self.assertEqual(response.json(), {"detail": "This client still has 1 opportunity."})

    def test_an_address_without_a_number_is_json_too(self):
        response = self.get("clients/abc/")
        self.assertEqual((response.status_code, response.json()), (404, {"detail": "Not found."}))


class ContactTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.other = Client.objects.create(name="Other")
        cls.contact = Contact.objects.create(client=cls.customer, name="Aiko Ito")

    def test_list(self):
        answer = self.get(f"clients/{self.customer.pk}/contacts/").json()
        self.assertEqual(
            answer["results"],
            [{"id": self.contact.pk, "name": "Aiko Ito", "email": "", "phone": "", "role": "", "is_primary": False}],
        )
        self.assertEqual(self.get(f"clients/{self.other.pk}/contacts/").json()["count"], 0)

    def test_create_belongs_to_the_client_in_the_address(self):
        response = self.post(f"clients/{self.other.pk}/contacts/", {"name": "Bruno", "email": "bruno@example.com"})
        self.assertEqual(response.status_code, 201)
        self.assertEqual(Contact.objects.get(pk=response.json()["id"]).client, self.other)

    def test_change_and_delete(self):
        path = f"clients/{self.customer.pk}/contacts/{self.contact.pk}/"
        self.assertEqual(self.patch(path, {"role": "IT lead"}).json()["role"], "IT lead")
        self.assertEqual(self.patch(path, {"email": "nobody"}).json(), {"email": ["Enter a valid email address."]})
        self.assertEqual(self.delete(path).status_code, 204)

    def test_under_another_client_it_does_not_exist(self):
        self.assertEqual(self.get(f"clients/{self.other.pk}/contacts/{self.contact.pk}/").status_code, 404)

    def test_unknown_client(self):
        self.assertEqual(self.get("clients/9999/contacts/").status_code, 404)
        self.assertEqual(self.get("clients/abc/contacts/").status_code, 404)
        self.assertEqual(self.post("clients/9999/contacts/", {"name": "Bruno"}).status_code, 404)
