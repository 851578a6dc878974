"""What staff can do with a provider: switch it, weigh it, send a test message through it.

The rules are those of `notifications.delivery`; here they get a form that asks why.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from notifications.admin.provider_standing import is_closed, is_configured, takes_new
from notifications.admin.reasons import WhyForm
from notifications.admin.theme import TextInput
from notifications.delivery import switches
from notifications.delivery.breaker import use_again
from notifications.delivery.provider_config import MAX_WEIGHT
from notifications.intake.allowance import LimitReachedError
from notifications.intake.errors import RefusedRequestError
from notifications.intake.mail_request import read_mail_request
from notifications.intake.submission import submit
from notifications.models import Provider, User

WEIGH, TEST = "weigh", "test"

TEST_TAG = "provider-test"
"""By which test messages are found again."""

TEST_LIFETIME = timedelta(hours=1)
"""A test that has not got out by then tells nothing any more."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch."""

    name: str
    label: str
    icon: str
    done: str
    """What the log says was done."""
    consequence: str
    run: Callable[[str], object]
    """Do it to the provider of that name; False where there was nothing to change."""
    applies: Callable[[Provider], bool]
    """Whether it would change anything."""


SWITCHES: Sequence[Switch] = (
    Switch(
        "enable",
        "Enable",
        "play_arrow",
        "Enabled.",
        "It gets its share of new messages again. A fault that was noted is forgotten.",
        switches.enable,
        lambda provider: not takes_new(provider),
    ),
    Switch(
        "use_again",
        "Use again now",
        "replay",
        "Used again now.",
        "Closes its breaker, and forgets that it asked us to wait.",
        use_again,
        lambda provider: takes_new(provider) and is_closed(provider),
    ),
    Switch(
        "drain",
        "Drain",
        "hourglass_bottom",
        "Draining.",
        "It gets nothing new. What is under way with it comes to its end there.",
        switches.drain,
        takes_new,
    ),
    Switch(
        "disable",
        "Disable",
        "block",
        "Disabled.",
        "Nothing more goes to it: what waits for it in a worker goes to another provider. "
        "Only what is on the wire ends.",
        switches.disable,
        lambda provider: provider.enabled,
    ),
)


def switches_of(provider: Provider) -> list[Switch]:
    """The switches that would change something about `provider`."""
    if not is_configured(provider):
        return []
    return [switch for switch in SWITCHES if switch.applies(provider)]


class NumberInput(TextInput):
    """A text field in the theme's dress, for a number."""

    input_type = "number"


class WeightForm(WhyForm):
    """A new weight."""

    field_order = ("weight", "why")

    weight = forms.IntegerField(min_value=1, max_value=MAX_WEIGHT, widget=NumberInput)


class TestForm(WhyForm):
    """A test message: from whom and to whom."""

    field_order = ("to", "sender", "why")

    to = forms.CharField(max_length=320, label="To", widget=TextInput)
    sender = forms.CharField(
        max_length=320,
        label="From",
        widget=TextInput,
        help_text="An address that this provider may send from.",
    )


FORMS: Mapping[str, type[WhyForm]] = {
    **{switch.name: WhyForm for switch in SWITCHES},
    WEIGH: WeightForm,
    TEST: TestForm,
}
"""The form of each choice."""


def form_for(
    name: str,
    data: Mapping[str, Any] | None = None,
    *,
    initial: MutableMapping[str, Any] | None = None,
) -> WhyForm:
    """The form of the choice `name`, with ids of its own on a page that has several."""
    return FORMS[name](data, auto_id=f"{name}_%s", initial=initial)


def send_test(provider: Provider, form: TestForm, *, by: User) -> UUID | None:
    """Submit the test message of a valid `form` as `by`'s own; returns its id.

    It goes through `provider` or not at all. None with the reasons in the form's errors.
    """
    if not takes_new(provider):
        form.add_error(None, "It takes no new messages now: enable it first.")
        return None
    try:
        request = read_mail_request(_fields(provider, form.cleaned_data, by))
        return submit(owner=by, request=request).message_id
    except RefusedRequestError as error:
        for fault in error.faults:
            field = {"/to": "to", "/from": "sender"}.get(fault.pointer)
            form.add_error(field, fault.detail)
    except LimitReachedError as error:
        wait = f"try again in {error.retry_after} s"
        form.add_error(None, f"You may not submit so much: {wait}.")
    return None


def _fields(provider: Provider, given: Mapping[str, str], by: User) -> Mapping[str, Any]:
    now = timezone.now()
    return {
        "from": given["sender"],
        "to": given["to"],
        "subject": f"Test message through {provider.name}",
        "message": f"{by.get_username()} sent this with Limbo at {now:%Y-%m-%d %H:%M:%S} UTC, "
        f"to see whether {provider.name} works.",
        "provider": provider.name,
        "failover": False,
        "tags": [TEST_TAG],
        "expires_at": (now + TEST_LIFETIME).isoformat(timespec="seconds"),
    }
