"""How the pipeline looks in JSON."""

from rest_framework import serializers
from rest_framework.reverse import reverse

from orbit.models import OUTCOMES, Activity, Client, Contact, Contract, Opportunity, Reminder

MAX_DOCUMENT_BYTES = 5 * 1024 * 1024


class ClientSerializer(serializers.ModelSerializer):
    class Meta:
        model = Client
        fields = ["id", "name", "legal_name", "client_type", "vertical", "overview", "created_at"]
        read_only_fields = ["created_at"]


class ClientReferenceSerializer(serializers.ModelSerializer):
    """The client as other objects mention it."""

    class Meta:
        model = Client
        fields = ["id", "name"]


class ContactSerializer(serializers.ModelSerializer):
    class Meta:
        model = Contact
        fields = ["id", "name", "email", "phone", "role", "is_primary"]


class OpportunitySerializer(serializers.ModelSerializer):
    client = ClientReferenceSerializer(read_only=True, allow_null=True)
    # The default keeps the unique constraint from making the field required.
    client_id = serializers.PrimaryKeyRelatedField(
        source="client",
        queryset=Client.objects.all(),
        allow_null=True,
        default=None,
        write_only=True,
        help_text="Id of the client; null for an opportunity without one.",
    )

    class Meta:
        model = Opportunity
        fields = [
            "id",
            "name",
            "status",
            "client",
            "client_id",
            "value",
            "stage",
            "overview",
            "created_at",
            "closed_at",
            "close_reason",
        ]
        # An opportunity leaves "active" through the close action only.
        read_only_fields = ["status", "created_at", "closed_at", "close_reason"]

    def validate(self, attrs):
        """A stage with an offer needs a value; a partial update may bring only one of the two."""
        stage = attrs.get("stage", getattr(self.instance, "stage", Opportunity.Stage.LEAD))
        value = attrs.get("value", getattr(self.instance, "value", None))
        if stage in Opportunity.PRICED_STAGES and value is None:
            raise serializers.ValidationError(f"An opportunity in stage {stage} needs a value.")
        return attrs


class CloseSerializer(serializers.Serializer):
    """How an opportunity ended."""

    outcome = serializers.ChoiceField(choices=OUTCOMES)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class ActivitySerializer(serializers.ModelSerializer):
    class Meta:
        model = Activity
        fields = ["id", "opportunity", "kind", "summary", "actor", "occurred_at"]


class DocumentField(serializers.FileField):
    """A file that is read through the API, where the caller's rights are checked."""

    def to_representation(self, value):
        return reverse("contract-download", args=[value.instance.pk], request=self.context.get("request"))


class ContractSerializer(serializers.ModelSerializer):
    document = DocumentField(
        help_text="PDF, Word, Markdown or text, at most 5 MiB; answered as the address to download it from.",
    )

    class Meta:
        model = Contract
        fields = ["id", "opportunity", "title", "document", "signed", "created_at"]
        read_only_fields = ["created_at"]

    def validate_document(self, document):
        # Not as validators of the field: the schema would show the extensions as a
        # pattern of the content that is sent and of the address that is answered.
        for validate in Contract._meta.get_field("document").validators:
            validate(document)
        if document.size > MAX_DOCUMENT_BYTES:
            raise serializers.ValidationError("The document is larger than 5 MiB.")
        return document


class ReminderSerializer(serializers.ModelSerializer):
    class Meta:
        model = Reminder
        fields = ["id", "opportunity", "text", "due_at", "done", "created_at"]
        read_only_fields = ["created_at"]


class ExportRequestSerializer(serializers.Serializer):
    """What to export."""

    resource = serializers.ChoiceField(choices=["clients", "opportunities"])


class ExportSummarySerializer(serializers.Serializer):
    """What an export contains."""

    resource = serializers.CharField()
    rows = serializers.IntegerField()
    first_created_at = serializers.DateTimeField(allow_null=True)
    last_created_at = serializers.DateTimeField(allow_null=True)


class ReportProgressSerializer(serializers.Serializer):
    """How far a report is."""

    done = serializers.FloatField(min_value=0, max_value=1)


class StatusSummarySerializer(serializers.Serializer):
    """The opportunities of one status."""

    status = serializers.CharField()
    count = serializers.IntegerField()
    value = serializers.DecimalField(max_digits=20, decimal_places=2, allow_null=True)


class ReportSerializer(serializers.Serializer):
    """A report on all opportunities."""

    statuses = StatusSummarySerializer(many=True)
