"""Shapes that belong to no model."""

from rest_framework import serializers


class DetailSerializer(serializers.Serializer):
    """An error that concerns the whole request."""

    detail = serializers.CharField()


class OpportunityCountsSerializer(serializers.Serializer):
    """Opportunities, all and by status."""

    total = serializers.IntegerField()
    active = serializers.IntegerField()
    won = serializers.IntegerField()
    lost = serializers.IntegerField()
    dropped = serializers.IntegerField()


class StatsSerializer(serializers.Serializer):
    """How much there is of everything."""

    clients = serializers.IntegerField()
    contacts = serializers.IntegerField()
    opportunities = OpportunityCountsSerializer()
    activities = serializers.IntegerField()
    contracts = serializers.IntegerField()
