"""Reading `LIMBO_PROVIDERS`: how each provider is reached.

The setting is a comma-separated list of `name=URL`:

    relay=smtp://user:password@mail.example.com:587?starttls=1&weight=2
    relay=smtps://user:password@mail.example.com
    mailgun=anymail-mailgun://KEY@/?sender_domain=mg.example.com&weight=1

Whatever has a meaning in a URL is percent-escaped within its parts, and so is a comma (`%2C`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from notifications.delivery.esps import ESPS, OPTION_FORMS, Esp
from notifications.models.errors import LimboError

SMTP = "smtp"
SMTPS = "smtps"
ANYMAIL_PREFIX = "anymail-"

SANDBOX = "sandbox"
"""The name of the way that test messages take; no configured provider may have it."""

SMTP_PORT = 25
SUBMISSION_PORT = 587
SMTPS_PORT = 465
MAX_PORT = 65535
MAX_WEIGHT = 1000

_KEY_MARGIN = timedelta(hours=1)
"""Between the last repeat under a key and the time when the provider forgets it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class ConfigurationError(LimboError):
    """An operator's setting cannot be used.

    Carries the id of the system check that reports it, and what mends it. Names the provider,
    never its URL, which holds a secret.
    """

    def __init__(self, problem: str, *, check: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.check = check
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem} {self.hint}"


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """How one provider is reached. Its secrets stay out of its representation."""

    name: str
    scheme: str
    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    options: tuple[tuple[str, str], ...]
    """SMTP: `starttls`; Anymail: the backend's own options."""
    weight: int
    """Its share of the hand-offs when its row is made; staff may change it there."""

    @property
    def separates_envelope(self) -> bool:
        """Whether it can send to some of the recipients under unchanged headers."""
        return self.esp is None or self.esp.separates_envelope

    @property
    def is_smtp(self) -> bool:
        """Whether it speaks SMTP."""
        return self.scheme in (SMTP, SMTPS)

    @property
    def esp(self) -> Esp | None:
        """The HTTP provider behind it; None when it speaks SMTP."""
        return ESPS.get(self.scheme.removeprefix(ANYMAIL_PREFIX))

    @property
    def key_lifetime(self) -> timedelta:
        """For how long a doubtful hand-off may be repeated under its key; zero: never.

        Shorter than the provider knows the key: a repeat must come in time, not only begin.
        """
        known = self.esp.key_lifetime if self.esp else timedelta()
        return max(known - _KEY_MARGIN, timedelta())

    @property
    def starttls(self) -> bool:
        """Whether an SMTP connection must be encrypted by STARTTLS before anything else."""
        return dict(self.options).get("starttls", "") in _YES

    @property
    def sends_password_in_clear(self) -> bool:
        """Whether its password crosses a network unencrypted."""
        is_plain = self.scheme == SMTP and not self.starttls
        return is_plain and bool(self.user) and self.host not in ("localhost", "127.0.0.1", "::1")

    def without_secrets(self, text: str) -> str:
        """`text` with its secrets blotted out: answers and tracebacks may quote them."""
        if self.password:
            text = text.replace(self.password, "***")
        if self.user and not self.is_smtp:
            text = text.replace(self.user, "***")
        return text


def parse_providers(text: str) -> Mapping[str, ProviderConfig]:
    """Parse the whole setting; the order is kept.

    Raises the first `ConfigurationError` that `find_faults` would list.
    """
    configs, faults = _parse_all(text)
    if faults:
        raise faults[0]
    return configs


def find_faults(text: str) -> tuple[ConfigurationError, ...]:
    """Everything that is wrong with the setting; empty when it can be used."""
    return _parse_all(text)[1]


@lru_cache(maxsize=8)
def _parse_all(
    text: str,
) -> tuple[Mapping[str, ProviderConfig], tuple[ConfigurationError, ...]]:
    configs: dict[str, ProviderConfig] = {}
    faults: list[ConfigurationError] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        try:
            config = _parse_entry(entry)
            if config.name in configs:
                raise _bad_name(f"Two providers are called {config.name!r}.")
            configs[config.name] = config
        except ConfigurationError as fault:
            faults.append(fault)
    if not configs and not faults:
        faults.append(_no_provider())
    return MappingProxyType(configs), tuple(faults)


def _no_provider() -> ConfigurationError:
    return ConfigurationError(
        "No provider is configured: Limbo could accept messages, but send none.",
        check="limbo.E001",
        hint="Set LIMBO_PROVIDERS to a list of name=URL, "
        "such as relay=smtp://user:password@mail.example.com:587?starttls=1",
    )


def _bad_name(problem: str) -> ConfigurationError:
    return ConfigurationError(
        problem,
        check="limbo.E002",
        hint="An entry of LIMBO_PROVIDERS is name=URL; the name is unique, has at most 64 letters, "
        "digits, hyphens or underscores, and a comma within the URL is written %2C.",
    )


def _parse_entry(entry: str) -> ProviderConfig:
    name, equals, url = entry.partition("=")
    if not equals or not _NAME.fullmatch(name):
        # what stands there may be the rest of a password with a comma in it: it is not shown
        raise _bad_name("An entry of LIMBO_PROVIDERS does not begin with a usable name.")
    if name == SANDBOX:
        raise _bad_name(f"The name {SANDBOX!r} is that of Limbo's own sandbox.")
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError:
        # the original error may quote the URL, and with it a secret
        raise _bad_url(name, "cannot be read as a URL") from None
    return _parse_url(name, parts, dict(pairs))


def _parse_url(name: str, parts: SplitResult, query: dict[str, str]) -> ProviderConfig:
    weight = _parse_weight(name, query.pop("weight", "1"))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme in (SMTP, SMTPS):
        _require_smtp_parts(name, parts, query, user + password)
    else:
        _require_esp_parts(name, parts, query, user, password)
    return ProviderConfig(
        name=name,
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=_parse_port(name, parts, query),
        user=user,
        password=password,
        options=tuple(sorted(query.items())),
        weight=weight,
    )


def _bad_url(name: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"The URL of provider {name!r} {problem}.",
        check="limbo.E003",
        hint="It is smtp://user:password@host:port, smtps://… or anymail-<provider>://KEY@/; "
        "characters with a meaning in URLs are percent-escaped in user, password and key.",
    )


def _bad_option(name: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"Provider {name!r} {problem}.",
        check="limbo.E005",
        hint="Options are the query of its URL: ?option=value&option=value",
    )


def _parse_weight(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:6]) <= MAX_WEIGHT:
        raise ConfigurationError(
            f"The weight of provider {name!r} is not a number from 1 to {MAX_WEIGHT}.",
            check="limbo.E006",
            hint="A provider's share of the hand-offs is its weight beside the others' weights; "
            "to keep one from being used, disable it in the admin.",
        )
    return int(text)


def _parse_port(name: str, parts: SplitResult, query: Mapping[str, str]) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ConfigurationError(
            f"The port of provider {name!r} is not a number from 1 to {MAX_PORT}.",
            check="limbo.E007",
            hint="It follows the host after a colon. A / or @ within user or password must be "
            "percent-escaped, or what follows it is read as host and port.",
        )
    return port or _default_port(parts.scheme, query)


def _default_port(scheme: str, query: Mapping[str, str]) -> int:
    if scheme == SMTPS:
        return SMTPS_PORT
    if scheme != SMTP:
        return 0  # the backend knows its own address
    return SUBMISSION_PORT if query.get("starttls", "") in _YES else SMTP_PORT


def _require_smtp_parts(
    name: str, parts: SplitResult, query: Mapping[str, str], credentials: str
) -> None:
    if not parts.hostname:
        raise _bad_url(name, "names no host")
    if parts.path not in ("", "/"):
        raise _bad_url(name, "has a path, which SMTP has no use for")
    if bool(parts.username) != bool(parts.password):
        raise _bad_url(name, "has a user or a password without the other")
    if not credentials.isascii():
        raise _bad_url(name, "has a user or password with other characters than ASCII")
    known = {"starttls"} if parts.scheme == SMTP else set()
    _require_known(name, query, known)
    if query.get("starttls", "1") not in _YES | _NO:
        raise _bad_option(name, "has a 'starttls' that is neither 1 nor 0")


def _require_esp_parts(
    name: str, parts: SplitResult, query: Mapping[str, str], user: str, password: str
) -> None:
    esp = ESPS.get(parts.scheme.removeprefix(ANYMAIL_PREFIX))
    if esp is None or not parts.scheme.startswith(ANYMAIL_PREFIX):
        raise _unknown_scheme(name)
    given = [value for value in (user, password) if value]
    if len(given) != len(esp.credentials):
        wanted = ":".join(esp.credentials).upper()
        raise _bad_option(name, f"needs its credentials as anymail-…://{wanted}@/")
    missing = [option for option in esp.required if not query.get(option)]
    if missing:
        raise _bad_option(name, f"lacks the option {missing[0]!r}")
    _require_known(name, query, set(esp.options))
    for option, value in query.items():
        form = OPTION_FORMS.get(option)
        if form is not None and not form.fullmatch(value):
            raise _bad_option(name, f"has an option {option!r} that is not of its form")


def _require_known(name: str, query: Mapping[str, str], known: set[str]) -> None:
    unknown = sorted(set(query) - known)
    if unknown:
        raise _bad_option(name, f"has an option that it does not know: {unknown[0]!r}")


def _unknown_scheme(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"The URL of provider {name!r} begins with a scheme that Limbo does not know.",
        check="limbo.E004",
        hint=f"Known are {SMTP}, {SMTPS} and "
        + ", ".join(f"{ANYMAIL_PREFIX}{esp}" for esp in sorted(ESPS)),
    )
