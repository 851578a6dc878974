"""The way out by Amazon SES: Anymail's backend and botocore, over our own connections.

botocore has an HTTP client of its own. Its `before-send` event, which hands over a signed request
and takes an answer in place of sending it, puts ours there: with one deadline, without repeats,
and with `commit` before the first byte.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import requests
from anymail.exceptions import AnymailUnsupportedFeature
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.loaders import create_loader
from botocore.session import get_session

from notifications.delivery.addresses import needs_smtputf8, wire_address
from notifications.delivery.classify import read_ses
from notifications.delivery.handoff import HandoffRequest, Outgoing
from notifications.delivery.reading import Reading
from notifications.delivery.transports.anymail import AnymailTransport, connect
from notifications.delivery.transports.http_session import Call

MOST_RECIPIENTS = 50
"""In one message; a fixed quota of SES."""

_LOADER = create_loader()
"""Keeps the description of SES's API, which takes 9 MB and most of a client's making."""

_ONE_TRY = Config(
    # its default repeats after a read time-out: that is a second message
    retries={"total_max_attempts": 1, "mode": "standard"},
    # only the provider's own URL says where mail goes, not AWS_ENDPOINT_URL
    ignore_configured_endpoint_urls=True,
)


class AmazonSesTransport(AnymailTransport):
    """One thread's way to Amazon SES."""

    def _open_backend(self) -> Any:
        options = dict(self._config.options)
        # without AWS_PROFILE: a profile that is missing would fail each message
        aws = get_session({"profile": (None, None, None, None)})
        aws.register_component("data_loader", _LOADER)
        session = {
            "botocore_session": aws,
            "aws_access_key_id": self._config.user,
            "aws_secret_access_key": self._config.password,
            "region_name": options["region"],
        }
        client = {"endpoint_url": options.get("endpoint_url"), "config": _ONE_TRY}
        backend = connect(
            self._esp.backend,
            session_params=session,
            client_params=client,
            configuration_set_name=options.get("configuration_set_name"),
        )
        # a backend that is open stays open
        backend.open()
        backend.client.meta.events.register("before-send.sesv2", self._carry)
        return backend

    def _carry(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Send what botocore has signed, exactly as it is; botocore calls this."""
        headers = {name: _text(value) for name, value in request.headers.items()}
        prepared = requests.Request(request.method, request.url, headers, data=request.body)
        around = self._session.merge_environment_settings(request.url, {}, None, None, None)
        answer = self._session.send(prepared.prepare(), **around)
        return AWSResponse(answer.url, answer.status_code, answer.headers, _Body(answer.content))

    def _message(self, request: HandoffRequest) -> Any:
        _require_possible(request)
        message = super()._message(request)
        # in place of the recipients that the headers name
        message.esp_extra = {"Destination": _destination(request)}
        return message

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        # SES replaces both; without them Django would look up this machine's name
        date = format_datetime(datetime.fromtimestamp(outgoing.accepted_at, UTC))
        return {"Message-ID": outgoing.header_message_id, "Date": date}

    def _explain(self, error: Exception, call: Call) -> tuple[Reading, str]:
        reading, text = super()._explain(error, call)
        answer = getattr(error, "response", None)
        if not isinstance(answer, dict) or call.status not in range(400, 500):
            return reading, text
        code = str(answer["Error"].get("Code", ""))
        message = str(answer["Error"].get("Message", ""))
        return read_ses(code, message) or reading, f"{code}: {message}"


class _Body(io.BytesIO):
    """An answer's body in the form that botocore reads."""

    def stream(self) -> Iterator[bytes]:
        """All of it."""
        yield self.read()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _require_possible(request: HandoffRequest) -> None:
    if len(request.envelope) > MOST_RECIPIENTS:
        raise AnymailUnsupportedFeature(f"Amazon SES takes at most {MOST_RECIPIENTS} recipients")
    addresses = (request.outgoing.sender_address, *(r.address for r in request.envelope))
    if any(map(needs_smtputf8, addresses)):
        raise AnymailUnsupportedFeature("Amazon SES takes no internationalised addresses")


def _destination(request: HandoffRequest) -> dict[str, list[str]]:
    """Who gets it, as SES's API names them."""
    destination: dict[str, list[str]] = {}
    for recipient in request.envelope:
        addresses = destination.setdefault(f"{recipient.kind.capitalize()}Addresses", [])
        addresses.append(wire_address(recipient.address))
    return destination
