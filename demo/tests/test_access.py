import base64

from rest_framework_api_key.models import APIKey

from core.api_keys import register_api_key
from tests.base import ORBIT, ApiTestCase

PATHS = [
    "/api/v1/core/stats/",
    "/api/schema/",
    f"{ORBIT}/",
    f"{ORBIT}/opportunities/",
    f"{ORBIT}/clients/",
    f"{ORBIT}/clients/1/contacts/",
    f"{ORBIT}/activities/",
    f"{ORBIT}/contracts/",
    f"{ORBIT}/contracts/1/download/",
    f"{ORBIT}/reminders/",
    f"{ORBIT}/exports/",
]


class AccessTests(ApiTestCase):
    def test_nothing_is_public(self):
        self.client.credentials()
        for path in PATHS:
            with self.subTest(path):
                response = self.client.get(path)
                self.assertEqual(response.status_code, 403)
                self.assertIn(b"Authentication credentials were not provided.", response.content)

    def test_a_wrong_key_is_refused(self):
        for key in ("", "wrong", self.key + "x"):
            self.use_key(key)
            self.assertEqual(self.get("clients/").status_code, 403)

    def test_a_revoked_key_is_refused(self):
        APIKey.objects.update(revoked=True)
        self.assertEqual(self.get("clients/").status_code, 403)

    def test_a_user_may_sign_in_instead(self):
        self.ada.set_password("correct horse")
        self.ada.save()
        basic = base64.b64encode(b"ada:correct horse").decode()
        self.client.credentials(HTTP_AUTHORIZATION=f"Basic {basic}")
        self.assertEqual(self.get("clients/").status_code, 200)

    def test_a_wrong_password_is_refused(self):
        basic = base64.b64encode(b"ada:wrong").decode()
        self.client.credentials(HTTP_AUTHORIZATION=f"Basic {basic}")
        response = self.get("clients/")
        self.assertEqual((response.status_code, response.json()), (403, {"detail": "Invalid username/password."}))


class RegisteredKeyTests(ApiTestCase):
    def test_a_registered_key_works_and_stays_one_row(self):
        for _ in range(2):
            register_api_key("given.secret", name="given")
        self.assertEqual(APIKey.objects.filter(prefix="given").count(), 1)
        self.use_key("given.secret")
        self.assertEqual(self.get("clients/").status_code, 200)

    def test_a_new_secret_replaces_the_old_one(self):
        register_api_key("given.old", name="given")
        register_api_key("given.new", name="given")
        self.assertFalse(APIKey.objects.is_valid("given.old"))
        self.assertTrue(APIKey.objects.is_valid("given.new"))

    def test_a_revoked_key_can_be_registered_again(self):
        register_api_key("given.secret", name="given")
        APIKey.objects.update(revoked=True)
        register_api_key("given.secret", name="given")
        self.assertTrue(APIKey.objects.is_valid("given.secret"))

    def test_other_forms_are_refused(self):
        for key in ("", "secret", "given.", ".secret", "toolongprefix.secret"):
            with self.subTest(key), self.assertRaises(ValueError):
                register_api_key(key, name="given")
