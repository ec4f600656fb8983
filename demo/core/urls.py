"""URLs below /api/v1/core/."""

from django.urls import path

from core.views import StatsView

urlpatterns = [path("stats/", StatsView.as_view(), name="stats")]
