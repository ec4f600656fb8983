"""Throttling by caller."""

from rest_framework.throttling import ScopedRateThrottle

from core.callers import caller_name


class CallerRateThrottle(ScopedRateThrottle):
    """Count requests for each user or API key.

    Services that call with a key often share one address, so counting by
    address would make them pay for each other.
    """

    def get_cache_key(self, request, view):
        return self.cache_format % {"scope": self.scope, "ident": caller_name(request)}
