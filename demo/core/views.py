"""Views about the whole project."""

from django.db.models import Count, Q
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from core.serializers import StatsSerializer
from orbit.models import Activity, Client, Contact, Contract, Opportunity


class StatsView(APIView):
    """Counts of everything; cheap enough to be asked as a health probe."""

    @extend_schema(summary="Count everything", responses=StatsSerializer)
    def get(self, request):
        """Number of clients, contacts, opportunities by status, activities and contracts."""
        opportunities = Opportunity.objects.aggregate(
            total=Count("pk"),
            **{status: Count("pk", filter=Q(status=status)) for status in Opportunity.Status},
        )
        stats = {
            "clients": Client.objects.count(),
            "contacts": Contact.objects.count(),
            "opportunities": opportunities,
            "activities": Activity.objects.count(),
            "contracts": Contract.objects.count(),
        }
        return Response(StatsSerializer(stats).data)
