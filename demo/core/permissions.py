"""Who may call the API."""

from rest_framework.permissions import IsAuthenticated
from rest_framework_api_key.permissions import HasAPIKey

# The user first: it is known already, while a key costs a query.
ApiKeyOrUser = IsAuthenticated | HasAPIKey
