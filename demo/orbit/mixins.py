"""Behaviour that several viewsets share."""

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.decorators import method_decorator
from rest_framework import mixins, viewsets

from core.exceptions import Conflict


@method_decorator(transaction.atomic, name="create")
@method_decorator(transaction.atomic, name="update")
@method_decorator(transaction.atomic, name="destroy")
class AtomicModelViewSet(viewsets.ModelViewSet):
    """A model's usual endpoints, each write in one transaction.

    Validation is inside the transaction as well, so that nobody can take a
    unique name between the check and the write.
    """


class ProtectedDestroyMixin(mixins.DestroyModelMixin):
    """Answer 409 instead of failing when other objects still need this one."""

    def perform_destroy(self, instance):
        try:
            super().perform_destroy(instance)
        except ProtectedError as error:
            count = len(error.protected_objects)
            meta = next(iter(error.protected_objects))._meta
            needed_by = meta.verbose_name if count == 1 else meta.verbose_name_plural
            raise Conflict(f"This {instance._meta.verbose_name} still has {count} {needed_by}.") from error
