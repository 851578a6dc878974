"""How tokens are shown."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from notifications.models import ApiToken


def token_url(token_id: UUID) -> str:
    """The address of a token in this API, as callers reach it."""
    base_url: str = settings.LIMBO_BASE_URL
    return base_url.rstrip("/") + reverse("api:token", args=[token_id])


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token, which cannot be read again."""

    url = serializers.SerializerMethodField()
    test = serializers.BooleanField(
        source="is_test",
        read_only=True,
        help_text="Whether what it submits goes to the sandbox and to nobody else.",
    )

    class Meta:
        """Everything but its digest."""

        model = ApiToken
        fields: tuple[str, ...] = (
            "id",
            "url",
            "name",
            "prefix",
            "scopes",
            "test",
            "allowed_senders",
            "allowed_networks",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )
        read_only_fields = fields

    def get_url(self, token: ApiToken) -> str:
        """Where the token is read and revoked."""
        return token_url(token.id)


class NewTokenSerializer(TokenSerializer):
    """A token on the one occasion when it is shown."""

    token = serializers.CharField(read_only=True, help_text="The token itself; keep it secret.")

    class Meta(TokenSerializer.Meta):
        """And the token."""

        fields = (*TokenSerializer.Meta.fields, "token")
        read_only_fields = fields
