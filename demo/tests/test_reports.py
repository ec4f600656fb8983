from django.test import override_settings
from rest_framework_api_key.models import APIKey

from orbit.models import Opportunity
from tests.base import ApiTestCase


class ReportTests(ApiTestCase):
    def begin(self):
        response = self.post("reports/", {})
        self.assertEqual(response.status_code, 202)
        self.assertEqual(response.json(), {"done": 0})
        return response.headers["Location"]

    def status(self, location, method="get"):
        return getattr(self.client, method)(location).status_code

    @override_settings(REPORT_SECONDS=3600)
    def test_a_report_is_waited_for(self):
        response = self.client.get(self.begin())
        self.assertEqual(response.status_code, 202)
        self.assertLess(response.json()["done"], 1)
        self.assertEqual(response.headers["Retry-After"], "1")

    @override_settings(REPORT_SECONDS=1e-9)
    def test_what_it_tells(self):
        Opportunity.objects.create(name="A", value="10.50")
        Opportunity.objects.create(name="B", value="0.25")
        response = self.client.get(self.begin())
        self.assertEqual(response.status_code, 200)
        self.assertEqual(
            response.json(),
            {
                "statuses": [{"status": "active", "count": 3, "value": "10.75"}]
            },
        )

    def test_cancelled(self):
        location = self.begin()
        self.assertEqual(self.status(location, "delete"), 204)
        self.assertEqual(self.status(location), 404)
        self.assertEqual(self.status(location, "delete"), 404)

    def test_only_for_whoever_began_it(self):
        location = self.begin()
        _, other = APIKey.objects.create_key(name="other")
        self.use_key(other)
        self.assertEqual(self.status(location), 404)
        self.assertEqual(self.status(location, "delete"), 404)
        self.sign_in(self.ada)
        self.assertEqual(self.status(location), 404)
        self.client.force_authenticate(None)
        self.use_key(self.key)
        self.assertIn(self.status(location), (200, 202))

    def test_made_up(self):
        location = self.begin()
        self.assertEqual(self.status(location[:-2] + "x/"), 404)
        self.assertEqual(self.status("/api/v1/orbit/reports/x/"), 404)
