"""URLs of the demo project."""

from django.conf import settings
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("api/v1/core/", include("core.urls")),
    path("api/v1/orbit/", include("orbit.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
]

if settings.SIGN_IN:
    urlpatterns.append(path("", include("core.sign_in.urls")))
