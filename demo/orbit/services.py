"""Changes that touch more than one row."""

from django.db import transaction
from django.utils import timezone

from core.exceptions import Conflict
from orbit.models import Activity, Opportunity


def log_activity(opportunity, kind, summary, actor):
    """Write an entry to the opportunity's log."""
    return Activity.objects.create(opportunity=opportunity, kind=kind, summary=summary[:500], actor=actor)


@transaction.atomic
def close_opportunity(opportunity, outcome, reason, actor):
    """Close an active opportunity, or raise `Conflict`.

    The status is tested by the update itself, so that of two callers who close
    at the same time only one succeeds.
    """
    closed = Opportunity.objects.filter(pk=opportunity.pk, status=Opportunity.Status.ACTIVE).update(
        status=outcome, close_reason=reason, closed_at=timezone.now()
    )
    opportunity.refresh_from_db()
    if not closed:
        raise Conflict(f"This opportunity is already closed as {opportunity.status}.")
    log_activity(opportunity, Activity.Kind.CLOSED, f"Closed as {outcome}. {reason}".strip(), actor)
    return opportunity
