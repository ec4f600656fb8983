"""URLs below /api/v1/orbit/."""

from django.urls import path
from rest_framework.routers import DefaultRouter

from orbit import views

router = DefaultRouter()
router.include_format_suffixes = False
router.register("opportunities", views.OpportunityViewSet)
router.register("clients", views.ClientViewSet)
router.register(r"clients/(?P<client_id>[^/.]+)/contacts", views.ContactViewSet)
router.register("activities", views.ActivityViewSet)
router.register("contracts", views.ContractViewSet)
router.register("reminders", views.ReminderViewSet)

urlpatterns = [
    path("exports/", views.ExportView.as_view(), name="exports"),
    path("reports/", views.ReportsView.as_view(), name="reports"),
    path("reports/<str:report>/", views.ReportView.as_view(), name="report"),
    *router.urls,
]
