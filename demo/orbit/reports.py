"""Reports that take a while.

A project of this kind would give them to a queue. Here time alone makes a report ready: its id says when it was
begun, signed so that nobody makes one up, and what it tells is worked out when it is asked for.
"""

import hashlib
import time

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db.models import Count, Sum
from django.http import Http404

from orbit.models import Opportunity

SALT = "orbit.reports"

# Reports are kept for a day.
MAX_AGE = 86_400


def begin(caller):
    """Begin a report for a caller, and name it."""
    return signing.dumps({"caller": caller, "begun": time.time()}, salt=SALT)


def _cancelled_key(report):
    return "report-cancelled-" + hashlib.sha256(report.encode()).hexdigest()


def share_done(report, caller):
    """Tell how much of a report is done, from 0 to 1. One that is cancelled, or another caller's, is not there."""
    try:
        content = signing.loads(report, salt=SALT, max_age=MAX_AGE)
    except signing.BadSignature as error:
        raise Http404 from error
    if content["caller"] != caller or cache.get(_cancelled_key(report)):
        raise Http404
    return min(1, (time.time() - content["begun"]) / settings.REPORT_SECONDS)


def cancel(report):
    """Do no more for a report."""
    cache.set(_cancelled_key(report), True, MAX_AGE)


def pipeline():
    """Count the opportunities of each status, and sum up what they are worth."""
    rows = Opportunity.objects.order_by("status").values("status").annotate(count=Count("pk"), value=Sum("value"))
    return list(rows)
