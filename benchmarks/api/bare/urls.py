"""The two views, each of which inserts one row."""

import json

from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework.generics import CreateAPIView
from rest_framework.serializers import BaseSerializer, EmailField, ModelSerializer

from benchmarks.api.bare.models import Letter

FIRST_USER = 1


class LetterSerializer(ModelSerializer[Letter]):
    """Checks what was posted, and shows what was stored."""

    sender = EmailField()
    recipient = EmailField()

    class Meta:
        """All that is posted."""

        model = Letter
        fields = ("id", "sender", "recipient", "subject", "message", "created_at")
        read_only_fields = ("id", "created_at")


class LettersView(CreateAPIView[Letter]):
    """django-rest-framework as its tutorial has it, with its TokenAuthentication."""

    serializer_class = LetterSerializer

    def perform_create(self, serializer: BaseSerializer[Letter]) -> None:
        """Insert the row."""
        serializer.save(owner=self.request.user)


def raw(request: HttpRequest) -> JsonResponse:
    """No token, no check: decode, insert, answer."""
    letter = Letter.objects.create(owner_id=FIRST_USER, **json.loads(request.body))
    return JsonResponse({"id": letter.pk})


urlpatterns = [path("drf", LettersView.as_view()), path("raw", raw)]
