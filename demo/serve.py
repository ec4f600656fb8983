"""Migrate, seed and serve the demo project in one process.

Once it listens, one JSON line on stdout says where and with which API key;
everything else goes to stderr.
"""

import argparse
import json
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
from contextlib import contextmanager
from importlib import import_module

import django

logger = logging.getLogger("demo_project.serve")


def main():
    options = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if options.exit_with_parent:
        threading.Thread(target=stop_at_end_of_stdin, daemon=True).start()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_project.settings")
    django.setup()
    prepare()
    if not options.prepare:
        with api_key() as key:
            serve(options.host, options.port, key)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--prepare", action="store_true", help="migrate and seed, then exit")
    parser.add_argument("--exit-with-parent", action="store_true", help="exit when stdin reaches its end")
    return parser.parse_args()


def stop(number, frame):
    """End the process in an orderly way from wherever it is."""
    sys.exit(0)


def stop_at_end_of_stdin():
    """Wait for the other end of stdin to go away, however it dies."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def prepare():
    """Bring the database up to date and fill it if it is empty."""
    from django.conf import settings

    from orbit.seed import seed, set_user_passwords

    with one_at_a_time(f"{settings.DATABASE}.lock"):
        migrate()
        if seed():
            logger.info("seeded %s", settings.DATABASE)
        if settings.USER_PASSWORD:
            set_user_passwords(settings.USER_PASSWORD)
        if settings.SIGN_IN and settings.INTROSPECTION_SECRET:
            from core.sign_in.clients import register_introspection_client

            register_introspection_client(settings.INTROSPECTION_SECRET)


@contextmanager
def one_at_a_time(path):
    """Let processes that share a database prepare it one after the other.

    The lock is an SQLite transaction: it works on every platform and ends with the process.
    """
    lock = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        lock.close()


def migrate():
    """Run the migrations that are missing; most starts have none and skip the command."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        logger.info("migrating")
        call_command("migrate", verbosity=0)


@contextmanager
def api_key():
    """The key to call with: the configured one, or one that lives as long as this run."""
    from django.conf import settings
    from rest_framework_api_key.models import APIKey

    from core.api_keys import register_api_key

    if settings.API_KEY:
        register_api_key(settings.API_KEY, name="DEMO_API_KEY")
        yield settings.API_KEY
        return
    row, key = APIKey.objects.create_key(name=f"serve.py {os.getpid()}")
    try:
        yield key
    finally:
        row.delete()


def serve(host, port, key):
    """Listen, say so, and answer requests until a signal comes."""
    from django.conf import settings
    from waitress.server import create_server

    from demo_project.wsgi import application

    # Loads every view now, which the first request would wait for otherwise.
    import_module(settings.ROOT_URLCONF)

    # Bound here and handed over, so that nobody can take the port in between.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    server = create_server(
        application,
        sockets=[listener],
        threads=8,
        ident=None,
        max_request_body_size=10 * 1024 * 1024,
        clear_untrusted_proxy_headers=True,
    )
    ready = {"url": url_of(listener), "api_key": key, "pid": os.getpid()}
    print(json.dumps(ready), flush=True)
    server.run()


def url_of(listener):
    """An address that this machine reaches the listener under."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


if __name__ == "__main__":
    main()
