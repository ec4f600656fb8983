import hashlib
import tempfile
from collections import Counter

from django.contrib.auth import get_user_model
from django.core import serializers
from django.test import TestCase, override_settings

from orbit import models
from orbit.seed import EPOCH, seed, set_user_passwords

MODELS = [models.Client, models.Contact, models.Opportunity, models.Activity, models.Contract, models.Reminder]


def fingerprint():
    """A digest of every seeded row."""
    digest = hashlib.sha256()
    for model in MODELS:
        digest.update(serializers.serialize("json", model.objects.order_by("pk")).encode())
    return digest.hexdigest()


class SeedTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        with tempfile.TemporaryDirectory() as media, override_settings(MEDIA_ROOT=media):
            seed()

    def test_twice_changes_nothing(self):
        before = fingerprint()
        self.assertFalse(seed())
        self.assertEqual(fingerprint(), before)

    def test_is_the_same_everywhere(self):
        newest = models.Opportunity.objects.first()
        self.assertEqual((newest.pk, newest.name), (432, "Procurement review 2025-432"))
        self.assertEqual(models.Opportunity.objects.last().created_at, EPOCH)
        statuses = models.Opportunity.objects.values_list("status", flat=True)
        self.assertEqual(Counter(statuses), {"active": 215, "lost": 92, "won": 81, "dropped": 44})

    def test_amounts(self):
        self.assertGreaterEqual(models.Client.objects.count(), 64)
        self.assertGreaterEqual(models.Opportunity.objects.count(), 420)
        self.assertEqual(
            set(models.Opportunity.objects.values_list("status", flat=True)), set(models.Opportunity.Status)
        )
        for model in MODELS:
            self.assertTrue(model.objects.exists(), model)

    def test_difficult_rows_are_there(self):
        clients, opportunities = models.Client.objects, models.Opportunity.objects
        for rows in (
            clients.filter(legal_name=None),
            clients.filter(legal_name=""),
            clients.filter(vertical=None),
            clients.filter(vertical=""),
            clients.filter(overview=""),
            clients.filter(name__contains="🥐"),
            opportunities.filter(client=None),
            opportunities.filter(value=None),
            opportunities.filter(value="0.10"),
            opportunities.filter(value="9999999999.99"),
        ):
            self.assertTrue(rows.exists(), rows.query)
        self.assertGreater(max(map(len, opportunities.values_list("overview", flat=True))), 10_240)

    def test_rows_keep_the_rules_of_the_api(self):
        for opportunity in models.Opportunity.objects.all():
            opportunity.full_clean()
            self.assertFalse(opportunity.stage in opportunity.PRICED_STAGES and opportunity.value is None)

    def test_users_sign_in_once_they_have_a_password(self):
        ada = get_user_model().objects.get(username="ada")
        self.assertFalse(ada.has_usable_password())
        set_user_passwords("correct horse")
        ada.refresh_from_db()
        self.assertTrue(ada.check_password("correct horse"))
