from unittest import mock

from rest_framework_api_key.models import APIKey

from core.throttling import CallerRateThrottle
from tests.base import ApiTestCase


@mock.patch.dict(CallerRateThrottle.THROTTLE_RATES, {"exports": "3/min"})
class ExportTests(ApiTestCase):
    def export(self, resource="opportunities"):
        return self.post("exports/", {"resource": resource})

    def exhaust(self):
        for _ in range(3):
            self.assertEqual(self.export().status_code, 200)
        self.assertEqual(self.export().status_code, 429)

    def test_summary(self):
        answer = self.export().json()
        self.assertEqual((answer["resource"], answer["rows"]), ("opportunities", 1))
        self.assertEqual(answer["first_created_at"], answer["last_created_at"])
        self.assertEqual(self.export("reminders").json(), {"resource": ['"reminders" is not a valid choice.']})

    def test_too_many(self):
        self.exhaust()
        response = self.export()
        self.assertEqual(response.status_code, 429)
        self.assertGreater(int(response.headers["Retry-After"]), 0)
        self.assertRegex(response.json()["detail"], r"^Request was throttled. Expected available in \d+ seconds?\.$")

    def test_each_key_and_user_is_counted_alone(self):
        self.exhaust()
        _, other = APIKey.objects.create_key(name="other")
        self.use_key(other)
        self.exhaust()
        self.sign_in(self.ada)
        self.exhaust()
        self.sign_in(self.grace)
        self.assertEqual(self.export().status_code, 200)
