"""Filters of the list endpoints."""

from django_filters import rest_framework as filters

from orbit.models import Activity, Client, Opportunity


class OpportunityFilter(filters.FilterSet):
    """Narrow opportunities down to a status or a client."""

    status = filters.ChoiceFilter(choices=Opportunity.Status.choices, help_text="Only opportunities with this status.")
    client = filters.ModelChoiceFilter(
        queryset=Client.objects.all(), help_text="Only opportunities of the client with this id."
    )

    class Meta:
        model = Opportunity
        fields = ["status", "client"]


class ActivityFilter(filters.FilterSet):
    """Narrow the log down to an opportunity or a kind of entry."""

    opportunity = filters.ModelChoiceFilter(
        queryset=Opportunity.objects.all(), help_text="Only entries about the opportunity with this id."
    )
    kind = filters.ChoiceFilter(choices=Activity.Kind.choices, help_text="Only entries of this kind.")

    class Meta:
        model = Activity
        fields = ["opportunity", "kind"]
