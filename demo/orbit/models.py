"""A small sales pipeline: clients, opportunities and what belongs to them."""

from django.conf import settings
from django.core.validators import FileExtensionValidator, MinValueValidator
from django.db import models
from django.utils import timezone


class Client(models.Model):
    """A company or person that business is done with."""

    class Type(models.TextChoices):
        PROSPECT = "prospect", "Prospect"
        CUSTOMER = "customer", "Customer"
        PARTNER = "partner", "Partner"
        FORMER = "former", "Former customer"

    class Vertical(models.TextChoices):
        EDUCATION = "education", "Education"
        ENERGY = "energy", "Energy"
        FINANCE = "finance", "Finance"
        FOOD = "food", "Food and agriculture"
        HEALTH = "health", "Health care"
        LOGISTICS = "logistics", "Logistics"
        MANUFACTURING = "manufacturing", "Manufacturing"
        PUBLIC = "public", "Public sector"
        RETAIL = "retail", "Retail"

    name = models.CharField(max_length=200, unique=True)
    legal_name = models.CharField(
        max_length=250, null=True, blank=True, help_text="Name in the commercial register; null when unknown."
    )
    client_type = models.CharField(max_length=20, choices=Type, default=Type.PROSPECT)
    vertical = models.CharField(max_length=20, choices=Vertical, null=True, blank=True)
    overview = models.TextField(blank=True)
    # A default instead of auto_now_add, so that the seed can write history.
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Contact(models.Model):
    """A person at a client."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    role = models.CharField(max_length=100, blank=True)
    is_primary = models.BooleanField(default=False, help_text="The person to ask first.")

    class Meta:
        ordering = ["-is_primary", "name", "id"]

    def __str__(self):
        return self.name


class Opportunity(models.Model):
    """A piece of business that may be won."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        WON = "won", "Won"
        LOST = "lost", "Lost"
        DROPPED = "dropped", "Dropped"

    class Stage(models.TextChoices):
        LEAD = "lead", "Lead"
        QUALIFIED = "qualified", "Qualified"
        PROPOSAL = "proposal", "Proposal"
        NEGOTIATION = "negotiation", "Negotiation"

    # Stages in which there is an offer, and so a price.
    PRICED_STAGES = frozenset({Stage.PROPOSAL, Stage.NEGOTIATION})

    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, blank=True, related_name="opportunities")
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE, db_index=True)
    stage = models.CharField(max_length=20, choices=Stage, default=Stage.LEAD)
    value = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    overview = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    close_reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "opportunities"
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["-created_at", "-id"], name="opportunity_newest_first")]
        constraints = [
            models.UniqueConstraint(fields=["client", "name"], name="opportunity_name_per_client"),
            models.CheckConstraint(
                condition=models.Q(value__isnull=True) | models.Q(value__gte=0),
                name="opportunity_value_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(status="active", closed_at__isnull=True)
                | (~models.Q(status="active") & models.Q(closed_at__isnull=False)),
                name="opportunity_closed_at_matches_status",
            ),
        ]

    def __str__(self):
        return self.name


# What a closed opportunity can have come to.
OUTCOMES = [choice for choice in Opportunity.Status.choices if choice[0] != Opportunity.Status.ACTIVE]


class Activity(models.Model):
    """An entry in the log of an opportunity."""

    class Kind(models.TextChoices):
        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        CLOSED = "closed", "Closed"
        CALL = "call", "Call"
        EMAIL = "email", "E-mail"
        MEETING = "meeting", "Meeting"

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="activities")
    kind = models.CharField(max_length=10, choices=Kind)
    summary = models.CharField(max_length=500)
    actor = models.CharField(max_length=200, help_text="The user or API key behind it.")
    occurred_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "activities"
        ordering = ["-occurred_at", "-id"]
        indexes = [models.Index(fields=["-occurred_at", "-id"], name="activity_newest_first")]

    def __str__(self):
        return self.summary


class Contract(models.Model):
    """A document that was agreed, or is to be, about an opportunity."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="contracts")
    title = models.CharField(max_length=200)
    document = models.FileField(
        upload_to="contracts/", validators=[FileExtensionValidator(["pdf", "txt", "md", "docx"])]
    )
    signed = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self):
        return self.title


class Reminder(models.Model):
    """A note of one user to their later self."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reminders")
    opportunity = models.ForeignKey(
        Opportunity, on_delete=models.CASCADE, null=True, blank=True, related_name="reminders"
    )
    text = models.CharField(max_length=500)
    due_at = models.DateTimeField()
    done = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["due_at", "id"]

    def __str__(self):
        return self.text
