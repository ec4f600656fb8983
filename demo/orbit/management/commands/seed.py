"""Fill an empty database."""

from django.conf import settings
from django.core.management.base import BaseCommand

from orbit.seed import seed, set_user_passwords


class Command(BaseCommand):
    help = "Fill an empty database with sample data; a database with clients is left as it is."

    def handle(self, *args, **options):
        self.stdout.write("Seeded." if seed() else "There is data already; nothing was changed.")
        if settings.USER_PASSWORD:
            set_user_passwords(settings.USER_PASSWORD)
