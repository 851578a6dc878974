"""`html`: a body in HTML, and the text that is made of it where none was given."""

from inscriptis import get_text
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.model.config import ParserConfig

from notifications.intake.reader import Reader, body_fault

_AS_TEXT = ParserConfig(css=STRICT_CSS_PROFILE.copy(), display_links=True)


def read_html(reader: Reader, pointer: str, value: object) -> str | None:
    """The body as it was given."""
    return reader.filled(pointer, value, body_fault)


def text_of(html: str) -> str:
    """`html` as plain text with its links; empty where nothing of it can be read."""
    text: str = get_text(html, _AS_TEXT)
    return text.strip()
