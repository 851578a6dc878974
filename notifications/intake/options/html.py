"""`html`: a body in HTML, and the text that is made of it where none was given."""

from typing import Any

from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_engine import Inscriptis
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping
from lxml.etree import ParserError, iterwalk
from lxml.html import HTMLParser, document_fromstring

from notifications.intake.reader import Reader, body_fault

MAX_CONVERTED_OCTETS = 500 * 1000
"""Of longer HTML no text is made; Gmail shows a fifth of it."""

_DEEPEST_LIST = 20
"""Each level indents: two hundred would make a hundredfold of what was sent."""

_ROWS = ("table", "caption", "tr", "dt", "dd", "section", "form", "hr")
_CELLS = ("td", "th")
_STYLES = {
    **STRICT_CSS_PROFILE,
    **{tag: HtmlElement(display=Display.block) for tag in _ROWS},
    **{tag: HtmlElement(suffix="  ") for tag in _CELLS},
}


def read_html(reader: Reader, pointer: str, value: object) -> str | None:
    """The body as it was given."""
    return reader.filled(pointer, value, body_fault)


def text_of(html: str) -> str:
    """`html` as plain text with its links; empty where it cannot be read as a whole."""
    octets = html.encode()
    if len(octets) > MAX_CONVERTED_OCTETS:
        return ""
    parser = HTMLParser(encoding="utf-8")
    try:
        tree = document_fromstring(octets, parser=parser)
    except ParserError:
        return ""
    if _is_cut(parser) or _has_deep_lists(tree):
        return ""
    text: str = Inscriptis(tree, _config()).get_text()
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def _config() -> ParserConfig:
    """How inscriptis is to read it.

    Cells are not aligned in columns: that pads each row to the widest, which makes gigabytes of
    a few kilobytes. And of styles only what hides is followed, since others pad as well.
    """
    flat = dict.fromkeys(("table", "tr", *_CELLS))
    config = ParserConfig(
        css=_STYLES,
        display_links=True,
        custom_html_tag_handler_mapping=CustomHtmlTagHandlerMapping(flat, flat),
    )
    config.attribute_handler.attribute_mapping = {"style": _hide}
    return config


def _hide(style: str, element: HtmlElement) -> None:
    if "display:none" in style.replace(" ", "").lower():
        element.display = Display.none


def _is_cut(parser: HTMLParser) -> bool:
    """Whether the parser gave up on what is nested more deeply than it goes."""
    return any("depth" in entry.message for entry in parser.error_log)


def _has_deep_lists(tree: Any) -> bool:
    depth = 0
    for event, _ in iterwalk(tree, events=("start", "end"), tag=("ul", "ol")):
        depth += 1 if event == "start" else -1
        if depth > _DEEPEST_LIST:
            return True
    return False
