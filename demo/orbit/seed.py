"""Fill an empty database with a pipeline that is the same on every machine.

Everything follows from the tables in `seed_data`, a seeded generator and a fixed
point in time, never from today's date: examples, tests and measurements may name
the rows they mean.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from random import Random

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from orbit import seed_data as data
from orbit.models import Activity, Client, Contact, Contract, Opportunity, Reminder

EPOCH = datetime(2024, 1, 8, 9, 0, tzinfo=timezone.utc)
OPPORTUNITIES = 432

# Values at the edges of the field, by the position of the opportunity.
EDGE_VALUES = {1: "0.00", 3: "0.10", 200: "9999999999.99", 430: "0.10", 431: "9999999999.99"}


@transaction.atomic
def seed():
    """Seed the database unless it has clients already; tell whether it did."""
    if Client.objects.exists():
        return False
    rng = Random(1815)
    clients = Client.objects.bulk_create(build_clients(rng))
    Contact.objects.bulk_create(build_contacts(rng, clients))
    opportunities = Opportunity.objects.bulk_create(build_opportunities(rng, clients))
    Activity.objects.bulk_create(build_activities(rng, opportunities))
    Contract.objects.bulk_create(build_contracts(opportunities))
    Reminder.objects.bulk_create(build_reminders(opportunities))
    return True


def set_user_passwords(password):
    """Give the seeded users a password, unless they have it already."""
    for user in get_user_model().objects.filter(username__in=data.REMINDERS):
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])


def build_clients(rng):
    rows = list(data.SPECIAL_CLIENTS)
    for head in data.CLIENT_HEADS:
        for tail, vertical in data.CLIENT_TAILS:
            name = f"{head} {tail}"
            legal_name = f"{name} {rng.choice(data.LEGAL_FORMS)}"
            rows.append((name, legal_name, rng.choice(data.CLIENT_TYPES), vertical))
    return [
        Client(
            name=name,
            legal_name=legal_name,
            client_type=client_type,
            vertical=vertical,
            overview=client_overview(rng, position),
            created_at=EPOCH - timedelta(days=400 - 5 * position),
        )
        for position, (name, legal_name, client_type, vertical) in enumerate(rows)
    ]


def client_overview(rng, position):
    if position % 6 == 5:
        return ""
    if position == 20:
        return long_text(rng, data.CLIENT_SENTENCES)
    return " ".join(rng.sample(data.CLIENT_SENTENCES, 3))


def build_contacts(rng, clients):
    for position, client in enumerate(clients):
        # Every seventh client has none.
        for number in range(position % 7):
            first, last = rng.choice(data.FIRST_NAMES), rng.choice(data.LAST_NAMES)
            yield Contact(
                client=client,
                name=f"{first} {last}",
                email="" if number == 3 else f"contact{number + 1}.client{client.pk}@example.com",
                phone=f"+44 1632 960{rng.randrange(1000):03d}" if number % 2 == 0 else "",
                role=rng.choice(data.ROLES),
                is_primary=number == 0,
            )


def build_opportunities(rng, clients):
    for position in range(OPPORTUNITIES):
        round_number, seat = divmod(position, len(clients))
        # Neighbouring rounds take neighbouring topics, so that no client has one twice.
        topic = data.TOPICS[(seat + round_number) % len(data.TOPICS)]
        created_at = EPOCH + timedelta(hours=29 * position)
        status = rng.choices(Opportunity.Status.values, weights=[50, 22, 18, 10])[0]
        value = opportunity_value(rng, position)
        stages = [stage for stage in Opportunity.Stage if value is not None or stage not in Opportunity.PRICED_STAGES]
        closed = status != Opportunity.Status.ACTIVE
        yield Opportunity(
            client=None if position % 12 == 5 else clients[seat],
            name=f"{topic} {created_at.year}-{position + 1:03d}",
            status=status,
            stage=rng.choice(stages),
            value=value,
            overview=opportunity_overview(rng, position),
            created_at=created_at,
            closed_at=created_at + timedelta(days=rng.randrange(5, 120)) if closed else None,
            close_reason=rng.choice(data.CLOSE_REASONS[status]) if closed else "",
        )


def opportunity_value(rng, position):
    if position in EDGE_VALUES:
        return Decimal(EDGE_VALUES[position])
    if position % 9 == 4:
        return None
    return Decimal(rng.randrange(50_000, 50_000_000)) / 100


def opportunity_overview(rng, position):
    if position % 60 == 27:
        return long_text(rng, data.SENTENCES)
    if position % 11 == 7:
        return ""
    return " ".join(rng.sample(data.SENTENCES, 2 + position % 4))


def long_text(rng, sentences):
    """More than ten kilobytes in paragraphs, as people paste them."""
    paragraphs = []
    while sum(map(len, paragraphs)) < 12_000:
        paragraphs.append(" ".join(rng.choice(sentences) for _ in range(6)))
    return "\n\n".join(paragraphs)


def build_activities(rng, opportunities):
    """The log in the order in which it was written, across all opportunities."""
    activities = []
    for opportunity in opportunities:
        actor = rng.choice(["user:ada", "user:grace"])

        def entry(kind, summary, occurred_at, opportunity=opportunity, actor=actor):
            return Activity(opportunity=opportunity, kind=kind, summary=summary, actor=actor, occurred_at=occurred_at)

        activities.append(entry(Activity.Kind.CREATED, "Opportunity created.", opportunity.created_at))
        for talk in range(rng.randrange(4)):
            kind, summary = rng.choice(data.TALKS)
            activities.append(entry(kind, summary, opportunity.created_at + timedelta(days=talk + 1, minutes=20)))
        if opportunity.closed_at:
            summary = f"Closed as {opportunity.status}. {opportunity.close_reason}".strip()
            activities.append(entry(Activity.Kind.CLOSED, summary, opportunity.closed_at))
    return sorted(activities, key=lambda activity: activity.occurred_at)


def build_contracts(opportunities):
    """One small document for each of the first eight opportunities that were won."""
    won = [opportunity for opportunity in opportunities if opportunity.status == Opportunity.Status.WON]
    for number, opportunity in enumerate(won[:8], start=1):
        name = f"contracts/agreement-{number:02d}.txt"
        # A database may be seeded anew beside the files of an earlier one.
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(f"Agreement {number}\n\n{opportunity.overview}\n".encode()))
        yield Contract(
            opportunity=opportunity,
            title=f"Agreement {number}: {opportunity.name}",
            document=name,
            signed=number % 3 != 0,
            created_at=opportunity.closed_at,
        )


def build_reminders(opportunities):
    user_model = get_user_model()
    for username, texts in data.REMINDERS.items():
        owner, created = user_model.objects.get_or_create(username=username)
        if created:
            owner.set_unusable_password()
            owner.save(update_fields=["password"])
        for number, text in enumerate(texts):
            yield Reminder(
                owner=owner,
                opportunity=opportunities[-1 - 7 * number] if number % 2 == 0 else None,
                text=text,
                due_at=EPOCH + timedelta(days=540 + 3 * number),
                done=number == 0,
                created_at=EPOCH + timedelta(days=500 + number),
            )
