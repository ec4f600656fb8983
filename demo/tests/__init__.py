"""Tests of the demo project."""

import logging

# One line a request would drown the test report; `assertLogs` still sees them.
logging.getLogger("demo_project.requests").propagate = False
