"""The providers that are reached by HTTP through Anymail, and what each needs to know.

From the sources of Anymail's backends: the names of their options, and whether they can carry
metadata. From the providers' own documentation: what becomes of our Message-ID, and whether a
request may be repeated. An option that is not listed here is refused, so that a slip of the pen
is not ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Mark(StrEnum):
    """How a Handoff's id travels with the message, to come back in the tracking webhooks."""

    METADATA = "metadata"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Room:
    """How much of the callers' metadata a provider takes; what is more it refuses."""

    pairs: int = 20
    key: int = 40
    """The longest key, in characters."""
    value: int = 500
    """The longest value, in characters."""
    octets: int = 9_000
    """Of all keys and values together."""
    ascii_only: bool = False


@dataclass(frozen=True, slots=True)
class Esp:
    """One provider's backend, and the options that its URL may carry."""

    backend: str
    credentials: tuple[str, ...]
    """The options that the URL's user and, if there are two, its password stand for."""
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    mark: Mark = Mark.METADATA
    idempotency_header: str | None = None
    """The request header in which it takes our key for a hand-off."""
    key_lifetime: timedelta = timedelta()
    """For how long it knows the key again, by its documentation, and sends no second copy."""
    message_id_headers: tuple[tuple[str, str], ...] | None = None
    """What makes it keep our Message-ID, beside the header itself; None: it makes its own."""
    most_tags: int = 10
    """So many tags it takes, a Handoff's among them."""
    metadata: Room | None = Room()
    """Its room for the callers' metadata; None: it takes none."""
    separates_envelope: bool = False
    """Whether it can send to some of the recipients under unchanged headers."""

    @property
    def options(self) -> tuple[str, ...]:
        """Every option that the URL's query may name."""
        return (*self.required, *self.optional)


OPTION_FORMS: Mapping[str, re.Pattern[str]] = {
    "api_url": re.compile(r"https?://[^\s/]+\S*"),
    "endpoint_url": re.compile(r"https?://[^\s/]+\S*"),
    "region": re.compile(r"[a-z]+(-[a-z0-9]+)+"),
}
"""How the value of an option looks, where a wrong one would show only when mail is sent."""

ESPS: dict[str, Esp] = {
    "amazon-ses": Esp(
        "amazon_ses",
        ("access_key", "secret_key"),
        required=("region",),
        optional=("configuration_set_name", "endpoint_url"),
        # it takes the recipients beside a finished message, and replaces its Message-ID and Date
        separates_envelope=True,
    ),
    "brevo": Esp("brevo", ("api_key",), optional=("api_url",), metadata=Room(ascii_only=True)),
    "mailersend": Esp(
        "mailersend",
        ("api_token",),
        optional=("api_url",),
        mark=Mark.TAG,
        most_tags=5,
        metadata=None,
    ),
    "mailgun": Esp(
        "mailgun",
        ("api_key",),
        optional=("sender_domain", "api_url"),
        message_id_headers=(),
    ),
    "mailjet": Esp("mailjet", ("api_key", "secret_key"), optional=("api_url",), most_tags=1),
    "mailtrap": Esp(
        "mailtrap",
        ("api_token",),
        optional=("sandbox_id", "api_url"),
        most_tags=1,
        metadata=Room(octets=900),
    ),
    "mandrill": Esp("mandrill", ("api_key",), optional=("api_url",)),
    "postal": Esp(
        "postal",
        ("api_key",),
        required=("api_url",),
        mark=Mark.TAG,
        most_tags=1,
        metadata=None,
    ),
    "postmark": Esp(
        "postmark",
        ("server_token",),
        optional=("api_url",),
        # without the second header Postmark replaces the first
        message_id_headers=(("X-PM-KeepID", "true"),),
        most_tags=1,
        # https://postmarkapp.com/support/article/1125-custom-metadata-faq, less our own pair
        metadata=Room(pairs=9, key=20, value=80),
    ),
    "resend": Esp(
        "resend",
        ("api_key",),
        optional=("api_url",),
        idempotency_header="Idempotency-Key",
        # https://resend.com/docs/dashboard/emails/idempotency-keys
        key_lifetime=timedelta(hours=24),
    ),
    "scaleway": Esp(
        "scaleway",
        ("secret_key",),
        required=("project_id",),
        optional=("region", "api_url"),
    ),
    "sendgrid": Esp("sendgrid", ("api_key",), optional=("api_url",)),
    "sparkpost": Esp(
        "sparkpost",
        ("api_key",),
        optional=("subaccount", "api_url"),
        most_tags=1,
        metadata=Room(octets=900),
    ),
    "unisender-go": Esp("unisender_go", ("api_key",), required=("api_url",), most_tags=4),
}
"""By the name that follows `anymail-` in a provider's URL."""
