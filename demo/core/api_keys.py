"""API keys that are given from outside instead of being drawn by the package."""

from django.db import transaction
from rest_framework_api_key.crypto import concatenate
from rest_framework_api_key.models import APIKey


def register_api_key(key, name):
    """Make `key` (`prefix.secret`) valid, whatever was stored under its prefix before."""
    prefix, _, secret = key.partition(".")
    if not 1 <= len(prefix) <= 8 or not secret:
        raise ValueError("An API key looks like prefix.secret, with a prefix of 1 to 8 characters.")
    if APIKey.objects.is_valid(key):
        return
    hashed_key = APIKey.objects.key_generator.hash(key)
    with transaction.atomic():
        APIKey.objects.filter(prefix=prefix).delete()
        APIKey.objects.create(id=concatenate(prefix, hashed_key), prefix=prefix, hashed_key=hashed_key, name=name)
