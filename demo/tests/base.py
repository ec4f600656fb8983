"""What most tests start from."""

from django.contrib.auth import get_user_model
from django.core.cache import cache
from rest_framework.test import APITestCase
from rest_framework_api_key.models import APIKey

from orbit.models import Client, Opportunity

ORBIT = "/api/v1/orbit"


class ApiTestCase(APITestCase):
    """A client with an API key, two users, and one object of each important kind."""

    @classmethod
    def setUpTestData(cls):
        _, cls.key = APIKey.objects.create_key(name="tests")
        cls.ada = get_user_model().objects.create_user("ada")
        cls.grace = get_user_model().objects.create_user("grace")
        cls.customer = Client.objects.create(name="Customer")
        cls.opportunity = Opportunity.objects.create(client=cls.customer, name="Scanners")

    def setUp(self):
        cache.clear()
        self.use_key(self.key)

    def use_key(self, key):
        self.client.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")

    def sign_in(self, user):
        self.client.credentials()
        self.client.force_authenticate(user)

    def get(self, path, **query):
        return self.client.get(f"{ORBIT}/{path}", query)

    def post(self, path, body):
        return self.client.post(f"{ORBIT}/{path}", body, format="json")

    def patch(self, path, body):
        return self.client.patch(f"{ORBIT}/{path}", body, format="json")

    def delete(self, path):
        return self.client.delete(f"{ORBIT}/{path}")
