import io
import logging

from django.core.management import call_command
from django.test import SimpleTestCase

from core.correlation import CorrelationFilter, correlation_id
from tests.base import ORBIT, ApiTestCase


class StatsTests(ApiTestCase):
    def test_counts(self):
        self.assertEqual(
            self.client.get("/api/v1/core/stats/").json(),
            {
                "clients": 1,
                "contacts": 0,
                "opportunities": {"total": 1, "active": 1, "won": 0, "lost": 0, "dropped": 0},
                "activities": 0,
                "contracts": 0,
            },
        )

    def test_is_cheap(self):
        # One for the key, one for each table.
        with self.assertNumQueries(6):
            self.client.get("/api/v1/core/stats/")


class CorrelationTests(ApiTestCase):
    def test_the_id_is_echoed_and_logged(self):
        with self.assertLogs("demo_project.requests") as logs:
            response = self.client.get("/api/v1/core/stats/?a=1", headers={"X-Correlation-ID": "abc-123"})
        self.assertEqual(response.headers["X-Correlation-ID"], "abc-123")
        self.assertIn("GET /api/v1/core/stats/?a=1 200", logs.output[0])

    def test_a_log_record_carries_the_id_while_the_request_lasts(self):
        record = logging.makeLogRecord({})
        token = correlation_id.set("abc-123")
        CorrelationFilter().filter(record)
        correlation_id.reset(token)
        self.assertEqual(record.correlation_id, "abc-123")

    def test_a_dangerous_or_missing_id_is_replaced(self):
        for sent in ("", "a b", "x" * 129, "a\tb", "<script>"):
            with self.subTest(sent):
                response = self.client.get("/api/v1/core/stats/", headers={"X-Correlation-ID": sent})
                self.assertRegex(response.headers["X-Correlation-ID"], r"^[0-9a-f-]{36}$")

    def test_redirects_and_unknown_addresses_carry_it_too(self):
        for path, status in ((f"{ORBIT}/clients", 301), ("/nowhere/", 404)):
            response = self.client.get(path, headers={"X-Correlation-ID": "abc-123"})
            self.assertEqual((response.status_code, response.headers["X-Correlation-ID"]), (status, "abc-123"))


class SchemaTests(SimpleTestCase):
    # `makemigrations` compares with the migrations that the database has seen.
    databases = ["default"]

    def test_generates_without_a_warning(self):
        call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())

    def test_migrations_are_complete(self):
        call_command("makemigrations", "--check", "--dry-run", verbosity=0)


class AnswerFormatTests(ApiTestCase):
    def test_schema_as_json(self):
        schema = self.client.get("/api/schema/?format=json").json()
        self.assertIn(f"{ORBIT}/opportunities/{{id}}/close/", schema["paths"])
        operation = schema["paths"][f"{ORBIT}/opportunities/"]["get"]
        self.assertEqual((operation["operationId"], operation["tags"]), ("opportunities_list", ["opportunities"]))
        self.assertIn({"ApiKey": []}, operation["security"])
        status = next(parameter for parameter in operation["parameters"] if parameter["name"] == "status")
        self.assertEqual(status["schema"]["enum"], ["active", "dropped", "lost", "won"])

    def test_a_browser_gets_html(self):
        response = self.client.get(f"{ORBIT}/opportunities/", headers={"Accept": "text/html"})
        self.assertEqual((response.status_code, response.headers["Content-Type"]), (200, "text/html; charset=utf-8"))

    def test_an_unknown_address_is_html(self):
        response = self.client.get("/nowhere/", headers={"Accept": "application/json"})
        self.assertEqual((response.status_code, response.headers["Content-Type"]), (404, "text/html; charset=utf-8"))

    def test_method_and_media_type_errors(self):
        self.assertEqual(self.delete("activities/").status_code, 405)
        response = self.client.post(f"{ORBIT}/clients/", "name=x", content_type="text/plain")
        self.assertEqual(response.status_code, 415)
        response = self.client.post(f"{ORBIT}/clients/", "{", content_type="application/json")
        self.assertEqual(response.status_code, 400)
        self.assertTrue(response.json()["detail"].startswith("JSON parse error"))
        self.assertEqual(self.client.get(f"{ORBIT}/clients/", headers={"Accept": "text/csv"}).status_code, 406)
