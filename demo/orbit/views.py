"""Views below /api/v1/orbit/."""

from django.db import transaction
from django.db.models import Count, Max, Min
from django.http import FileResponse
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from core.callers import caller_name
from core.serializers import DetailSerializer
from core.throttling import CallerRateThrottle
from orbit import reports, serializers
from orbit.filters import ActivityFilter, OpportunityFilter
from orbit.mixins import AtomicModelViewSet, ProtectedDestroyMixin
from orbit.models import Activity, Client, Contact, Contract, Opportunity, Reminder
from orbit.pagination import NewestFirstCursor, NumberedPages, Window
from orbit.services import close_opportunity, log_activity


def conflict(description):
    """Document a 409 answer."""
    return OpenApiResponse(DetailSerializer, description=description)


@extend_schema_view(
    list=extend_schema(
        summary="List opportunities",
        description="Opportunities, newest first, optionally of one status or client.",
    ),
    create=extend_schema(
        summary="Create an opportunity",
        description="A new opportunity is active. From the proposal stage on it needs a value, "
        "and its name must be unique among those of its client.",
    ),
    retrieve=extend_schema(summary="Show an opportunity"),
    update=extend_schema(summary="Replace an opportunity"),
    partial_update=extend_schema(summary="Change an opportunity"),
    destroy=extend_schema(
        summary="Delete an opportunity",
        responses={204: None, 409: conflict("The opportunity still has contracts.")},
    ),
)
class OpportunityViewSet(ProtectedDestroyMixin, AtomicModelViewSet):
    """Business that may be won, is won, lost or dropped."""

    queryset = Opportunity.objects.select_related("client")
    serializer_class = serializers.OpportunitySerializer
    pagination_class = Window
    filterset_class = OpportunityFilter
    search_fields = ["name", "overview", "client__name"]
    ordering_fields = ["created_at", "closed_at", "name", "value"]

    def perform_create(self, serializer):
        opportunity = serializer.save()
        log_activity(opportunity, Activity.Kind.CREATED, "Opportunity created.", caller_name(self.request))

    def perform_update(self, serializer):
        opportunity = serializer.save()
        # Not from `validated_data`: the uniqueness check adds the fields it needs to that.
        sent = [name for name, field in serializer.fields.items() if name in self.request.data and not field.read_only]
        summary = f"Set {', '.join(sent) or 'nothing'}."
        log_activity(opportunity, Activity.Kind.UPDATED, summary, caller_name(self.request))

    @extend_schema(
        operation_id="opportunities_close",
        summary="Close an opportunity",
        description="Record how an active opportunity ended. It cannot be opened again.",
        request=serializers.CloseSerializer,
        responses={
            200: serializers.OpportunitySerializer,
            409: conflict("The opportunity is closed already."),
        },
    )
    @action(detail=True, methods=["post"])
    def close(self, request, pk=None):
        """Close an active opportunity."""
        body = serializers.CloseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        opportunity = close_opportunity(self.get_object(), **body.validated_data, actor=caller_name(request))
        return Response(self.get_serializer(opportunity).data)


@extend_schema_view(
    list=extend_schema(summary="List clients", description="Clients by name."),
    create=extend_schema(summary="Create a client"),
    retrieve=extend_schema(summary="Show a client"),
    update=extend_schema(summary="Replace a client"),
    partial_update=extend_schema(summary="Change a client"),
    destroy=extend_schema(
        summary="Delete a client",
        description="Deletes the client and its contacts.",
        responses={204: None, 409: conflict("The client still has opportunities.")},
    ),
)
class ClientViewSet(ProtectedDestroyMixin, AtomicModelViewSet):
    """Companies and people that business is done with."""

    queryset = Client.objects.all()
    serializer_class = serializers.ClientSerializer
    pagination_class = NumberedPages
    filterset_fields = ["client_type", "vertical"]
    search_fields = ["name", "legal_name"]
    ordering_fields = ["name", "created_at"]


@extend_schema(
    tags=["contacts"],
    parameters=[OpenApiParameter("client_id", int, OpenApiParameter.PATH, description="Id of the client.")],
)
@extend_schema_view(
    list=extend_schema(summary="List a client's contacts"),
    create=extend_schema(summary="Add a contact to a client"),
    retrieve=extend_schema(summary="Show a contact"),
    update=extend_schema(summary="Replace a contact"),
    partial_update=extend_schema(summary="Change a contact"),
    destroy=extend_schema(summary="Delete a contact"),
)
class ContactViewSet(AtomicModelViewSet):
    """People at one client; the address says which."""

    queryset = Contact.objects.all()
    serializer_class = serializers.ContactSerializer
    pagination_class = NumberedPages
    search_fields = ["name", "email", "role"]
    ordering_fields = ["name"]

    def get_queryset(self):
        return super().get_queryset().filter(client=self.get_client())

    def perform_create(self, serializer):
        serializer.save(client=self.get_client())

    def get_client(self):
        """The client in the address, or 404; an unknown client is not one without contacts."""
        return get_object_or_404(Client, pk=self.kwargs["client_id"])


@extend_schema_view(
    list=extend_schema(summary="List activities", description="What happened with opportunities, newest first."),
    retrieve=extend_schema(summary="Show an activity"),
)
class ActivityViewSet(viewsets.ReadOnlyModelViewSet):
    """The log of all opportunities; it writes itself."""

    queryset = Activity.objects.all()
    serializer_class = serializers.ActivitySerializer
    pagination_class = NewestFirstCursor
    filterset_class = ActivityFilter
    # The cursor fixes the order, so that `ordering` would be a promise not kept.
    filter_backends = [DjangoFilterBackend]


@extend_schema_view(
    list=extend_schema(summary="List contracts"),
    create=extend_schema(summary="Upload a contract"),
    retrieve=extend_schema(summary="Show a contract"),
    update=extend_schema(summary="Replace a contract and its document"),
    partial_update=extend_schema(summary="Change a contract", description="Without `document` the stored one is kept."),
    destroy=extend_schema(summary="Delete a contract and its document"),
)
class ContractViewSet(AtomicModelViewSet):
    """Documents that were agreed, or are to be, about opportunities."""

    queryset = Contract.objects.all()
    serializer_class = serializers.ContractSerializer
    parser_classes = [MultiPartParser, JSONParser]
    pagination_class = Window
    filterset_fields = ["opportunity", "signed"]
    search_fields = ["title"]
    ordering_fields = ["created_at", "title"]

    def perform_update(self, serializer):
        old = serializer.instance.document.name
        contract = serializer.save()
        if contract.document.name != old:
            delete_after_commit(contract.document.storage, old)

    def perform_destroy(self, instance):
        document = instance.document
        instance.delete()
        delete_after_commit(document.storage, document.name)

    def perform_content_negotiation(self, request, force=False):
        # A document comes as it is; only an error is rendered, and then as JSON.
        return super().perform_content_negotiation(request, force or self.action == "download")

    @extend_schema(
        operation_id="contracts_download",
        summary="Download a contract's document",
        responses={(200, "application/pdf", "text/plain", "application/octet-stream"): OpenApiTypes.BINARY},
    )
    @action(detail=True)
    def download(self, request, pk=None):
        """The document itself, as an attachment."""
        return FileResponse(self.get_object().document.open(), as_attachment=True)


def delete_after_commit(storage, name):
    """Delete a file once the row that named it is gone for certain."""
    transaction.on_commit(lambda: storage.delete(name))


@extend_schema_view(
    list=extend_schema(summary="List my reminders", description="Reminders of the signed-in user, by due date."),
    create=extend_schema(
        summary="Create a reminder", description="The signed-in user owns it. An API key alone owns nothing: 403."
    ),
    retrieve=extend_schema(summary="Show one of my reminders"),
    update=extend_schema(summary="Replace one of my reminders"),
    partial_update=extend_schema(summary="Change one of my reminders"),
    destroy=extend_schema(summary="Delete one of my reminders"),
)
class ReminderViewSet(AtomicModelViewSet):
    """Notes of a user to their later self; nobody sees another's."""

    queryset = Reminder.objects.all()
    serializer_class = serializers.ReminderSerializer
    pagination_class = Window
    filterset_fields = ["opportunity", "done"]
    search_fields = ["text"]
    ordering_fields = ["due_at", "created_at"]

    def get_queryset(self):
        if not self.request.user.is_authenticated:
            return Reminder.objects.none()
        return super().get_queryset().filter(owner=self.request.user)

    def create(self, request, *args, **kwargs):
        # Before validation: no body would make this request succeed.
        if not request.user.is_authenticated:
            raise PermissionDenied("Reminders belong to a user, and an API key alone is none.")
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer):
        serializer.save(owner=self.request.user)


class ExportView(APIView):
    """Summaries of whole tables, at a limited rate for each caller."""

    throttle_classes = [CallerRateThrottle]
    throttle_scope = "exports"

    models = {"clients": Client, "opportunities": Opportunity}

    @extend_schema(
        operation_id="exports_create",
        summary="Summarise an export",
        request=serializers.ExportRequestSerializer,
        responses={
            200: serializers.ExportSummarySerializer,
            429: OpenApiResponse(DetailSerializer, description="Too many exports; see Retry-After."),
        },
    )
    def post(self, request):
        """Count the rows of a resource and the time they span. A few requests a minute are allowed."""
        body = serializers.ExportRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        resource = body.validated_data["resource"]
        summary = self.models[resource].objects.aggregate(
            rows=Count("pk"), first_created_at=Min("created_at"), last_created_at=Max("created_at")
        )
        return Response(serializers.ExportSummarySerializer({"resource": resource, **summary}).data)


class ReportsView(APIView):
    """Where reports begin."""

    @extend_schema(
        operation_id="reports_create",
        summary="Begin a report",
        description="A report on all opportunities takes a while. Location says where to look for it.",
        request=None,
        responses={202: serializers.ReportProgressSerializer},
    )
    def post(self, request):
        """Begin a report, which goes on after this answer."""
        report = reports.begin(caller_name(request))
        location = reverse("report", args=[report])
        return Response({"done": 0}, status=202, headers={"Location": location, "Retry-After": "1"})


class ReportView(APIView):
    """One report, which is done or will be."""

    @extend_schema(
        operation_id="reports_retrieve",
        summary="Look at a report",
        responses={
            200: serializers.ReportSerializer,
            202: OpenApiResponse(serializers.ReportProgressSerializer, description="Not done yet; look again."),
        },
    )
    def get(self, request, report):
        """Answer 202 until the report is done."""
        done = reports.share_done(report, caller_name(request))
        if done < 1:
            return Response({"done": round(done, 2)}, status=202, headers={"Retry-After": "1"})
        return Response(serializers.ReportSerializer({"statuses": reports.pipeline()}).data)

    @extend_schema(operation_id="reports_destroy", summary="Cancel a report", responses={204: None})
    def delete(self, request, report):
        """Cancel the report, or forget it."""
        reports.share_done(report, caller_name(request))
        reports.cancel(report)
        return Response(status=204)
