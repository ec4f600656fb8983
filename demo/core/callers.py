"""A name for whoever makes a request."""

from rest_framework_api_key.permissions import HasAPIKey


def caller_name(request):
    """Name the user or the API key behind a request that passed `ApiKeyOrUser`.

    A key is named by its prefix, which is no secret.
    """
    if request.user.is_authenticated:
        return f"user:{request.user.get_username()}"
    prefix, _, _ = HasAPIKey.key_parser.get(request).partition(".")
    return f"key:{prefix}"
