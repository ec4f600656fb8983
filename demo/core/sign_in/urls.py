"""Where users sign in, and the endpoints of the authorization server, whose issuer is /o."""

from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider.urls import base_urlpatterns, dcr_urlpatterns, metadata_urlpatterns
from oauth2_provider.views import OAuthServerMetadataView

urlpatterns = [
    path("accounts/login/", LoginView.as_view(), name="login"),
    path("o/", include(([*metadata_urlpatterns, *base_urlpatterns, *dcr_urlpatterns], "oauth2_provider"))),
    # The path of an issuer goes behind the well-known one (RFC 8414 section 3.1).
    path(".well-known/oauth-authorization-server/<path:issuer_path>", OAuthServerMetadataView.as_view()),
]
