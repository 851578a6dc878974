"""One call to a user's endpoint, to an address that was checked.

The name is resolved once, and the connection goes to the very address that was checked, while TLS
and the Host header still speak of the name: a name that changes its answer in between gains nothing
(DNS rebinding). Redirects are not followed, proxies of the environment not used. One deadline
bounds the whole call, since socket time-outs never end an answer of one byte a second.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpcore
import httpx

from notifications.delivery.classify import read_retry_after
from notifications.webhooks.addresses import Resolver, is_public, resolve
from notifications.webhooks.errors import ForbiddenAddressError

DEADLINE_SECONDS = 15.0
"""For one call as a whole; Standard Webhooks asks for 15 to 30."""

_CONNECT_SECONDS = 5.0
"""For one address; a name may have several."""

_ANSWER_BYTES = 1024
"""How much of an answer is read: people look at its beginning when it is a failure."""

_NETWORK_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered, or why there is no answer."""

    status: int | None
    """The HTTP status; None when there was none."""
    text: str
    """The beginning of the answer, or what went wrong."""
    retry_after: float = 0.0
    """Seconds that it asked us to wait."""

    @property
    def is_success(self) -> bool:
        """Whether the endpoint has taken the post."""
        return self.status is not None and 200 <= self.status < 300


class Outbound:
    """The way out for posts; may be used by several threads at once."""

    def __init__(
        self,
        *,
        allow_private: bool,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """With `allow_private` it also calls addresses within this network."""
        self._allow_private = allow_private
        self._resolver = resolver
        self._ssl_context = ssl_context or httpx.create_ssl_context()

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post `body` to `url`. A failure is an answer without status, not an exception."""
        parsed = httpx.URL(url)
        target = httpcore.URL(
            scheme=parsed.raw_scheme,
            host=parsed.raw_host,
            port=parsed.port,
            target=parsed.raw_path,
        )
        try:
            return self._post(target, headers, body)
        except ForbiddenAddressError as error:
            return Answer(None, str(error))
        except _NETWORK_ERRORS as error:
            return Answer(None, f"{type(error).__name__}: {error}".removesuffix(": "))

    def _post(self, url: httpcore.URL, headers: Mapping[str, str], body: bytes) -> Answer:
        deadline = time.monotonic() + DEADLINE_SECONDS
        backend = _CheckedBackend(
            deadline, resolver=self._resolver, allow_private=self._allow_private
        )
        # a pool of its own: each call makes a connection, and so is checked
        with httpcore.ConnectionPool(
            ssl_context=self._ssl_context, network_backend=backend, http2=False
        ) as pool:
            fields = [(name.encode(), value.encode()) for name, value in headers.items()]
            with pool.stream("POST", url, headers=fields, content=body) as response:
                return Answer(response.status, _beginning(response), _wait(response))


def _beginning(response: httpcore.Response) -> str:
    held = b""
    for chunk in response.iter_stream():
        held += chunk
        if len(held) >= _ANSWER_BYTES:
            break
    return held[:_ANSWER_BYTES].decode(errors="replace").replace("\x00", "")


def _wait(response: httpcore.Response) -> float:
    """The seconds of its Retry-After header; 0 without one."""
    values = [value for name, value in response.headers if name.lower() == b"retry-after"]
    text = values[0].decode("ascii", errors="replace") if values else None
    return read_retry_after(text, now=datetime.now(UTC)) or 0.0


class _CheckedBackend(httpcore.NetworkBackend):
    """Opens the connection of one call, to a checked address."""

    def __init__(self, deadline: float, *, resolver: Resolver, allow_private: bool) -> None:
        self._deadline = deadline
        self._resolver = resolver
        self._allow_private = allow_private
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers.

        Raises ForbiddenAddressError when any of its addresses is not public.
        """
        addresses = self._resolver(host, port)
        if not self._allow_private and not all(map(is_public, addresses)):
            raise ForbiddenAddressError(
                f"{host} leads to an address within a private network, which is not called."
            )
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            left = min(_left(self._deadline), _CONNECT_SECONDS)
            try:
                stream = self._backend.connect_tcp(address, port, timeout=left)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _BoundStream(stream, self._deadline)
        raise failure


class _BoundStream(httpcore.NetworkStream):
    """A connection whose every step ends at one deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, until the deadline."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`, until the deadline."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Let go of the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Encrypt it; the certificate must be the name's, not the address's."""
        encrypted = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _BoundStream(encrypted, self._deadline)

    def get_extra_info(self, info: str) -> object:
        """What httpcore asks about the connection."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    """Seconds until `deadline`. Raises httpcore.ReadTimeout when it is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the call took too long")
    return left
