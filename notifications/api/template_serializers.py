"""How templates are shown. What a caller may send is checked by intake, not here."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from notifications.intake.templates.preview import Preview
from notifications.models import Template, TemplateVersion


def template_url(template_id: UUID) -> str:
    """The address of a template in this API, as callers reach it."""
    base_url: str = settings.LIMBO_BASE_URL
    return base_url.rstrip("/") + reverse("api:template", args=[template_id])


class TemplateSerializer(serializers.ModelSerializer[Template]):
    """A template as lists show it."""

    url = serializers.SerializerMethodField()

    class Meta:
        """Without what it says: that is its version's."""

        model = Template
        fields = ("id", "url", "name", "description", "version", "created_at", "updated_at")
        read_only_fields = fields

    def get_url(self, template: Template) -> str:
        """Where the template is read in full."""
        return template_url(template.id)


class TemplateDetailSerializer(serializers.ModelSerializer[TemplateVersion]):
    """A template with what one of its versions says."""

    id = serializers.UUIDField(source="template_id", read_only=True)
    url = serializers.SerializerMethodField()
    name = serializers.CharField(source="template.name", read_only=True)
    description = serializers.CharField(source="template.description", read_only=True)
    version = serializers.IntegerField(
        source="number", read_only=True, help_text="Whose subject and bodies these are."
    )
    current_version = serializers.IntegerField(source="template.version", read_only=True)
    text = serializers.SerializerMethodField(help_text="Null: made of the HTML.")
    html = serializers.SerializerMethodField(help_text="Null: there is none.")
    created_at = serializers.DateTimeField(source="template.created_at", read_only=True)
    updated_at = serializers.DateTimeField(source="template.updated_at", read_only=True)

    class Meta:
        """The template's fields and the version's."""

        model = TemplateVersion
        fields = (
            "id",
            "url",
            "name",
            "description",
            "version",
            "current_version",
            "subject",
            "text",
            "html",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_url(self, version: TemplateVersion) -> str:
        """Where the template is read."""
        return template_url(version.template_id)

    def get_text(self, version: TemplateVersion) -> str | None:
        """The source of the text."""
        return version.text or None

    def get_html(self, version: TemplateVersion) -> str | None:
        """The source of the HTML."""
        return version.html or None


class VersionSerializer(serializers.ModelSerializer[TemplateVersion]):
    """A version as the list of a template's versions shows it."""

    version = serializers.IntegerField(source="number", read_only=True)

    class Meta:
        """`?version=` on the template shows the rest."""

        model = TemplateVersion
        fields = ("version", "subject", "created_at")
        read_only_fields = fields


class UsedTemplateSerializer(serializers.ModelSerializer[TemplateVersion]):
    """The version that a message was made from."""

    id = serializers.UUIDField(source="template_id", read_only=True)
    name = serializers.CharField(
        source="template.name", read_only=True, help_text="As it is called now, or was at last."
    )
    version = serializers.IntegerField(source="number", read_only=True)

    class Meta:
        """Enough to find it, while it is there."""

        model = TemplateVersion
        fields = ("id", "name", "version")
        read_only_fields = fields


class PreviewSerializer(serializers.Serializer[object]):
    """What a template would say."""

    version = serializers.IntegerField(source="number")
    subject = serializers.CharField(source="rendered.subject")
    text = serializers.CharField(
        source="rendered.text", help_text="Made of the HTML where the template has no text."
    )
    html = serializers.SerializerMethodField(help_text="Null: the template has none.")

    def get_html(self, preview: Preview) -> str | None:
        """The HTML."""
        return preview.rendered.html or None
