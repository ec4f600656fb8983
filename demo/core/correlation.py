"""One id that follows a request through every log line and back to the caller."""

import logging
import re
import time
import uuid
from contextvars import ContextVar

HEADER = "X-Correlation-ID"

# The id is written to logs and headers, so a caller cannot choose its alphabet.
VALID_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

logger = logging.getLogger("demo_project.requests")
correlation_id = ContextVar("correlation_id", default="-")


class CorrelationMiddleware:
    """Take over or make up the correlation id, log the request, echo the id."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        received = request.headers.get(HEADER, "")
        token = correlation_id.set(received if VALID_ID.fullmatch(received) else str(uuid.uuid4()))
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response.headers[HEADER] = correlation_id.get()
            logger.info(
                "%s %s %d %.1fms",
                request.method,
                request.get_full_path(),
                response.status_code,
                (time.perf_counter() - started) * 1000,
            )
            return response
        finally:
            # Worker threads outlive the request.
            correlation_id.reset(token)


class CorrelationFilter(logging.Filter):
    """Give every log record the id of the request it was written for."""

    def filter(self, record):
        record.correlation_id = correlation_id.get()
        return True
