import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from django.test import SimpleTestCase

SERVE = Path(__file__).resolve().parent.parent / "serve.py"
KEY = "testing.0123456789"


class ServeTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.environment = {**os.environ, "DEMO_DATABASE": f"{folder.name}/demo.sqlite3"}
        cls.environment.pop("DEMO_API_KEY", None)

    @contextmanager
    def server(self, *arguments, **environment):
        with subprocess.Popen(
            [sys.executable, SERVE, *arguments],
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def stats(self, ready):
        request = urllib.request.Request(
            f"{ready['url']}/api/v1/core/stats/",
            headers={"Authorization": f"Api-Key {ready['api_key']}", "X-Correlation-ID": "serve-test"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def test_serves_until_it_is_told_to_stop(self):
        with self.server() as process:
            ready = json.loads(process.stdout.readline())
            self.assertEqual(ready["pid"], process.pid)
            self.assertEqual(self.stats(ready)["opportunities"]["total"], 432)
            process.send_signal(signal.SIGTERM)
            rest, log = process.communicate(timeout=10)
            self.assertEqual((process.returncode, rest), (0, ""))
            self.assertRegex(log, r"GET /api/v1/core/stats/ 200 [\d.]+ms correlation_id=serve-test")

    def test_takes_the_key_from_the_environment(self):
        for _ in range(2):
            with self.server(DEMO_API_KEY=KEY) as process:
                ready = json.loads(process.stdout.readline())
                self.assertEqual(ready["api_key"], KEY)
                self.stats(ready)

    def test_ends_with_its_parent(self):
        with self.server("--exit-with-parent") as process:
            process.stdout.readline()
            process.stdin.close()
            self.assertEqual(process.wait(timeout=10), 0)

    def test_prepare_only(self):
        with self.server("--prepare") as process:
            rest, _ = process.communicate(timeout=30)
            self.assertEqual((process.returncode, rest), (0, ""))

    def test_two_may_start_at_once(self):
        with tempfile.TemporaryDirectory() as folder:
            database = {"DEMO_DATABASE": f"{folder}/demo.sqlite3"}
            with self.server(**database) as one, self.server(**database) as two:
                for process in (one, two):
                    self.stats(json.loads(process.stdout.readline()))
