import tempfile
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from orbit.models import Contract
from tests.base import ORBIT, ApiTestCase


class ContractTests(ApiTestCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.media = Path(folder.name)
        settings = override_settings(MEDIA_ROOT=self.media)
        settings.enable()
        self.addCleanup(settings.disable)

    def upload(self, name="terms.txt", content=b"Terms", **fields):
        body = {"opportunity": self.opportunity.pk, "title": "Terms", **fields}
        return self.client.post(
            f"{ORBIT}/contracts/", {**body, "document": SimpleUploadedFile(name, content)}, format="multipart"
        )

    def stored(self):
        return sorted(path.name for path in self.media.rglob("*") if path.is_file())

    def test_upload_and_download(self):
        response = self.upload(signed="true")
        self.assertEqual(response.status_code, 201)
        answer = response.json()
        self.assertTrue(answer["signed"])
        self.assertEqual(answer["document"], f"http://testserver{ORBIT}/contracts/{answer['id']}/download/")
        self.assertEqual(self.stored(), ["terms.txt"])
        for accept in ("*/*", "application/octet-stream"):
            download = self.client.get(answer["document"], headers={"Accept": accept})
            self.assertEqual(b"".join(download.streaming_content), b"Terms")
            self.assertEqual(download.headers["Content-Disposition"], 'attachment; filename="terms.txt"')

    def test_signed_is_false_unless_sent(self):
        self.assertFalse(self.upload().json()["signed"])

    def test_refused_documents(self):
        for name, content, message in (
            ("terms.exe", b"Terms", "File extension “exe” is not allowed"),
            ("terms.txt", b"", "The submitted file is empty."),
            ("terms.txt", b"x" * (5 * 1024 * 1024 + 1), "The document is larger than 5 MiB."),
        ):
            with self.subTest(message):
                response = self.upload(name, content)
                self.assertEqual(response.status_code, 400)
                self.assertIn(message, response.json()["document"][0])
        self.assertEqual(self.stored(), [])

    def test_json_cannot_carry_a_document(self):
        response = self.post("contracts/", {"opportunity": self.opportunity.pk, "title": "x", "document": "terms.txt"})
        self.assertEqual(response.status_code, 400)
        self.assertEqual(
            response.json(),
            {"document": ["The submitted data was not a file. Check the encoding type on the form."]},
        )

    def test_change_without_a_document(self):
        path = f"contracts/{self.upload().json()['id']}/"
        self.assertTrue(self.patch(path, {"signed": True}).json()["signed"])
        self.assertEqual(self.stored(), ["terms.txt"])

    def test_files_go_with_their_contract(self):
        contract = self.upload().json()
        path = f"{ORBIT}/contracts/{contract['id']}/"
        with self.captureOnCommitCallbacks(execute=True):
            self.client.patch(path, {"document": SimpleUploadedFile("new.txt", b"New")}, format="multipart")
        self.assertEqual(self.stored(), ["new.txt"])
        with self.captureOnCommitCallbacks(execute=True):
            self.client.delete(path)
        self.assertEqual(self.stored(), [])

    def test_filters(self):
        for signed in (True, False):
            Contract.objects.create(opportunity=self.opportunity, title="x", document="x.txt", signed=signed)
        self.assertEqual(self.get("contracts/", signed="true").json()["count"], 1)
        self.assertEqual(self.get("contracts/", opportunity=self.opportunity.pk).json()["count"], 2)
