"""Clients of the authorization server that are not registered by themselves."""

from oauth2_provider.models import get_application_model

INTROSPECTION_CLIENT = "django-mcp-server"


def register_introspection_client(secret):
    """Let a service with this secret ask whose a token is (RFC 7662)."""
    application_model = get_application_model()
    application_model.objects.update_or_create(
        client_id=INTROSPECTION_CLIENT,
        defaults={
            "name": "Django MCP Server",
            "client_secret": secret,
            "client_type": application_model.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": application_model.GRANT_CLIENT_CREDENTIALS,
        },
    )
