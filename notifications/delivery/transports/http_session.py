"""HTTP for hand-offs: one request, no repeats, under a deadline, announced before it is written.

Anymail sends through a `requests` session. This one follows no redirects and retries nothing, since
either would repeat a request that may have been taken; its connections keep the hand-off's
deadline; and `commit` is called when a connection stands, before the request's first byte.
"""

import io
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.util.ssl_ import create_urllib3_context

from notifications import failpoints
from notifications.delivery.transports.deadline import (
    DeadlineSocket,
    DeadlineTlsSocket,
    dial,
    seconds_left,
)
from notifications.delivery.transports.patience import Patience
from notifications.models.lease import boottime

IDLE_SECONDS = 4.0
"""A connection that was idle for longer is not used again.

Some servers close theirs after 5 s, and one that closes while we write leaves us in doubt.
"""


MAX_ANSWER_OCTETS = 1024 * 1024
"""No answer to a message is longer; reading stops there."""


@dataclass(slots=True)
class Call:
    """One hand-off's request, as the connection that carries it needs to know it."""

    patience: Patience
    commit: Callable[[], None]
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to the request."""
    has_begun: bool = False
    """Whether a byte of it may have been written."""
    stopped_by: Exception | None = None
    """What `commit` raised; the libraries in between may wrap it as an error of the network."""
    status: int | None = None
    """The answer's status, once its head was read."""
    retry_after: str | None = None
    """Its header of that name."""
    body: bytearray = field(default_factory=bytearray)
    """As much of the answer's body as came, which may be cut short."""

    def begin(self) -> None:
        """Call `commit`: from here on the provider may have taken it.

        Raises requests.RequestException when a library would repeat the request, TimeoutError when
        too little time is left for the answer, and whatever `commit` raises.
        """
        if self.has_begun:
            raise requests.RequestException("a hand-off's request is written only once")
        seconds_left(self.patience.commit_deadline)
        try:
            self.commit()
        except Exception as error:
            self.stopped_by = error
            raise
        self.has_begun = True

    @property
    def text(self) -> str:
        """As much of the answer's body as came."""
        return self.body.decode("utf-8", "replace")


# urllib3 makes its connections for itself; this is how they learn whose request they carry
_call: ContextVar[Call] = ContextVar("call")


@contextmanager
def under_way(call: Call) -> Iterator[None]:
    """Let what the session sends within the block be `call`'s request."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)


class _HandoffConnection(HTTPConnection):
    """A connection that keeps the deadline of the call it carries, and announces its request."""

    def _new_conn(self) -> DeadlineSocket:
        """Connect; urllib3 calls this, and wraps the result in TLS."""
        deadline = _call.get().patience.commit_deadline
        return dial(self._dns_host, int(self.port or self.default_port), deadline=deadline)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        """Write the request, once `commit` has allowed it."""
        if self.sock is None:
            self.connect()
        call = _call.get()
        if isinstance(self.sock, DeadlineSocket):
            self.sock.deadline = call.patience.deadline
        call.begin()
        super().request(method, url, *args, **kwargs)
        failpoints.hit("request_sent")


class _HandoffTlsConnection(_HandoffConnection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _HandoffConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _HandoffTlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class HandoffAdapter(HTTPAdapter):
    """Sends requests over such connections, and does not keep them for long."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)
        self._used_at = 0.0

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        """Make the pools use our connections; `requests` calls this."""
        pool_kwargs["ssl_context"] = _tls_context()
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> PoolManager:
        """The same through a proxy that the environment names; `requests` calls this."""
        proxy_kwargs["ssl_context"] = _tls_context()
        manager: PoolManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def close_if_idle(self) -> None:
        """Close the connections that were idle for longer than they may be used again."""
        if boottime() - self._used_at > IDLE_SECONDS:
            self.close()

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send the call's request and read the answer, which `Call` keeps when it breaks off.

        Raises requests.RequestException or urllib3's HTTPError.
        """
        call = _call.get()
        self.close_if_idle()
        request.headers.update(call.headers)
        response = super().send(request, *args, **{**kwargs, "stream": True})
        call.status = response.status_code
        call.retry_after = response.headers.get("Retry-After")
        # not by `stream`, which throws away what it has when the answer breaks off
        while chunk := response.raw.read1(8192, decode_content=True):
            call.body += chunk
            if len(call.body) > MAX_ANSWER_OCTETS:
                response.close()
                raise requests.RequestException("the answer is too long")
        # Anymail reads it from here
        response.raw = io.BytesIO(bytes(call.body))
        self._used_at = boottime()
        return response


def _tls_context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.sslsocket_class = DeadlineTlsSocket
    return context


class HandoffSession(requests.Session):
    """A session that sends a request once, and to no other address."""

    def __init__(self) -> None:
        super().__init__()
        self._adapter = HandoffAdapter()
        self.mount("http://", self._adapter)
        self.mount("https://", self._adapter)

    def close_if_idle(self) -> None:
        """Close the connections that were idle for longer than they may be used again."""
        self._adapter.close_if_idle()

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere: what a redirect means is for the reader of the answer."""
        return None
