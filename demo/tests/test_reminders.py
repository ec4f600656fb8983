from django.utils import timezone

from orbit.models import Reminder
from tests.base import ApiTestCase


class ReminderTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.reminder = Reminder.objects.create(owner=cls.ada, text="Call back", due_at=timezone.now())
        cls.path = f"reminders/{cls.reminder.pk}/"

    def test_the_owner_sees_it(self):
        self.sign_in(self.ada)
        self.assertEqual(self.get("reminders/").json()["count"], 1)
        self.assertEqual(self.patch(self.path, {"done": True}).json()["done"], True)

    def test_another_user_does_not(self):
        self.sign_in(self.grace)
        self.assertEqual(self.get("reminders/").json()["count"], 0)
        self.assertEqual(self.get(self.path).status_code, 404)
        self.assertEqual(self.patch(self.path, {"done": True}).status_code, 404)
        self.assertEqual(self.delete(self.path).status_code, 404)

    def test_a_user_creates_their_own(self):
        self.sign_in(self.grace)
        response = self.post("reminders/", {"text": "Book", "due_at": "2030-01-02T03:04:05Z", "owner": self.ada.pk})
        self.assertEqual(response.status_code, 201)
        self.assertEqual(Reminder.objects.get(pk=response.json()["id"]).owner, self.grace)

    def test_a_key_owns_nothing(self):
        self.assertEqual(self.get("reminders/").json()["results"], [])
        self.assertEqual(self.get(self.path).status_code, 404)

    def test_a_key_cannot_create(self):
        response = self.post("reminders/", {})
        self.assertEqual(response.status_code, 403)
        self.assertEqual(response.json(), {"detail": "Reminders belong to a user, and an API key alone is none."})
