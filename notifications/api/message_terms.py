"""What a list of messages can be narrowed by that is looked up by `history.search`."""

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from notifications.api.parameters import (
    LONGEST_ADDRESS,
    ImpossibleParameterError,
    address,
    line,
)
from notifications.history.search import (
    MAX_WORDS,
    metadata_term,
    provider_term,
    sender_term,
    tag_term,
    word_terms,
)
from notifications.intake.options.labels import (
    MAX_KEY_CHARACTERS,
    MAX_TAG_CHARACTERS,
    MAX_VALUE_CHARACTERS,
)

_PROVIDER = 100
_SEARCH = 400
_METADATA = MAX_KEY_CHARACTERS + 1 + MAX_VALUE_CHARACTERS


def _text(longest: int) -> dict[str, object]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


TERM_PARAMETERS = [
    OpenApiParameter("from", _text(LONGEST_ADDRESS), description="The sender's address."),
    OpenApiParameter("tag", _text(MAX_TAG_CHARACTERS), description="One of the message's tags."),
    OpenApiParameter(
        "metadata",
        _text(_METADATA),
        description="A key of the message's metadata, or `key=value`.",
    ),
    OpenApiParameter(
        "provider", _text(_PROVIDER), description="A provider to which it was handed."
    ),
    OpenApiParameter(
        "q",
        _text(_SEARCH),
        description="Words: of the subject, addresses, or recipients' domains. All must be there; "
        f"at most {MAX_WORDS}.",
    ),
]

TERM_NAMES = frozenset(parameter.name for parameter in TERM_PARAMETERS)


def terms_of(request: Request) -> list[str]:
    """The terms that a message must have, most telling first; none where none is asked for.

    Raises ValidationError naming a parameter that cannot be read.
    """
    terms: list[str] = []
    if metadata := line(request, "metadata", longest=_METADATA):
        key, sign, value = metadata.partition("=")
        terms.append(metadata_term(key, value if sign else None))
    terms += _words(request)
    if tag := line(request, "tag", longest=MAX_TAG_CHARACTERS):
        terms.append(tag_term(tag))
    if sender := address(request, "from"):
        terms.append(sender_term(sender))
    if provider := line(request, "provider", longest=_PROVIDER):
        terms.append(provider_term(provider))
    return terms


def _words(request: Request) -> Sequence[str]:
    asked = line(request, "q", longest=_SEARCH)
    if asked is None:
        return ()
    terms = word_terms(asked)
    if not 0 < len(terms) <= MAX_WORDS:
        raise ImpossibleParameterError({"q": [f"This must have 1 to {MAX_WORDS} words."]})
    return terms
