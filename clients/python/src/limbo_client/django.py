"""A Django e-mail backend: a project sends through Limbo by changing one setting.

EMAIL_BACKEND = "limbo_client.django.EmailBackend"
LIMBO_URL = "https://limbo.example"
LIMBO_TOKEN = "lk_…"
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from limbo_client.core import TOKEN, URL
from limbo_client.errors import ConfigurationError, LimboError
from limbo_client.from_django import mail_of
from limbo_client.synchronous import Limbo


class EmailBackend(BaseEmailBackend):
    """Sends each message as one submission, over connections that it keeps while it is open.

    A message that Limbo stored gets the answer as its attribute `limbo`, a `Submitted`. Raises
    LimboError for one that Limbo refuses or cannot carry, unless it is to fail silently.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        url: str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(fail_silently=fail_silently, **options)
        self._url = url or getattr(settings, URL, None)
        self._token = token or getattr(settings, TOKEN, None)
        self._limbo: Limbo | None = None

    def open(self) -> bool:
        """Make the client; whether it was not there yet. Raises ImproperlyConfigured."""
        is_new = self._limbo is None
        self._client()
        return is_new

    def close(self) -> None:
        """Close the client's connections."""
        if self._limbo is not None:
            self._limbo.close()
            self._limbo = None

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Submit each that has recipients; returns how many Limbo stored."""
        messages = [message for message in email_messages if message.recipients()]
        if not messages:
            return 0
        is_ours = self.open()
        try:
            return sum(self._send(message) for message in messages)
        finally:
            if is_ours:
                self.close()

    def _client(self) -> Limbo:
        if self._limbo is None:
            try:
                self._limbo = Limbo(self._url, self._token)
            except ConfigurationError as error:
                raise ImproperlyConfigured(str(error)) from None
        return self._limbo

    def _send(self, message: EmailMessage) -> bool:
        try:
            submitted = self._client().send(mail_of(message))
        except LimboError:
            if not self.fail_silently:
                raise
            return False
        message.limbo = submitted  # type: ignore[attr-defined]
        return True
