"""What the person at the terminal may choose, and the secrets that are made once."""

import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from limbo.local.errors import RunError
from limbo.local.files import write_private

HOST = "127.0.0.1"
ADMIN = "admin"
DEMO = "demo"
_LARGEST_PORT = 65535


@dataclass(frozen=True)
class Config:
    """The choices of one run, from the environment."""

    var: Path
    """Where everything that is made lies (`LIMBO_VAR`)."""
    port: int
    """The web front's (`PORT`)."""
    sink_port: int
    """The local inbox's (`SINK_PORT`)."""
    database_url: str
    """Somebody else's PostgreSQL (`DATABASE_URL`); empty: one of our own."""
    providers: str
    """Providers to send through (`LIMBO_PROVIDERS`); empty: the local inbox."""
    once: bool
    """End after the first message (`ONCE=1`)."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment. Raises RunError for a port that is none."""
        return cls(
            var=Path(environ.get("LIMBO_VAR") or "var").absolute(),
            port=_port(environ, "PORT", 8000),
            sink_port=_port(environ, "SINK_PORT", 2525),
            database_url=environ.get("DATABASE_URL", ""),
            providers=environ.get("LIMBO_PROVIDERS", ""),
            once=environ.get("ONCE", "0") not in {"", "0"},
        )

    @property
    def base_url(self) -> str:
        """Where the web front answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def inbox(self) -> Path:
        """The Maildir of the local inbox."""
        return self.var / "inbox"

    @property
    def own_provider(self) -> str:
        """The local inbox as a provider."""
        return f"sink=smtp://{HOST}:{self.sink_port}"

    def check_ports(self) -> None:
        """Raises RunError when a port that is needed is in use."""
        if self.port == self.sink_port:
            raise RunError(f"PORT and SINK_PORT are both {self.port}")
        for variable, port in (("PORT", self.port), ("SINK_PORT", self.sink_port)):
            if not _is_free(port):
                raise RunError(f"port {port} is in use; choose another one: {variable}=… make run")


@dataclass
class Secrets:
    """What nobody may guess: made at the first run, kept for the next ones."""

    secret_key: str
    admin_password: str
    user_password: str
    token: str = ""

    @classmethod
    def load(cls, file: Path) -> Self:
        """The secrets in `file`; makes them, and it, when it is not there."""
        if file.exists():
            return cls(**json.loads(file.read_text()))
        made = cls(secrets.token_urlsafe(48), secrets.token_urlsafe(12), secrets.token_urlsafe(12))
        made.save(file)
        return made

    def save(self, file: Path) -> None:
        """Keep the secrets in `file`, for its owner's eyes only."""
        write_private(file, json.dumps(asdict(self), indent=2))


def _port(environ: Mapping[str, str], variable: str, default: int) -> int:
    text = environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _LARGEST_PORT:
        raise RunError(f"{variable} must be a port from 1 to {_LARGEST_PORT}, not {text!r}")
    return int(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # as servers do: a port whose last connection only just ended is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise RunError(f"port {port} may not be used: {error.strerror}") from error
        except OSError:
            return False
    return True
