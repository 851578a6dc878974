"""Hostile and broken requests get a clear problem: never a 500, and never much memory."""

import json
import time
import tracemalloc
from typing import Any

import pytest
from django.conf import settings

from notifications.models import Message
from tests.api.conftest import SUBMISSION, Api
from tests.api.problems import problem_of

pytestmark = pytest.mark.django_db

MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def _nothing_is_stored(db: None) -> Any:
    """Whatever the test sends, no message comes of it."""
    yield
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b" ",
        b"nonsense",
        b'{"from": }',
        b'{"subject": "a", }',
        b"{'subject': 'a'}",
        b'{"subject": NaN}',
        b'{"subject": -Infinity}',
        b'{"subject": "a\nb"}',
        b'{"subject": "\xff"}',
        b'{"subject": "\xed\xa0\x80"}',
        json.dumps(SUBMISSION).encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"\x00" * 100,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_json_is_refused(api: Api, body: bytes) -> None:
    answer = api.post(body)
    kind = "invalid-request" if body == b"" else "malformed-request"
    assert problem_of(answer, 400, kind)["Message"] == "not submitted"


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true", b"[{}]"])
def test_json_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    problem = problem_of(api.post(body), 400, "invalid-request")
    assert problem["errors"][0]["pointer"] == "#"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"to":[', b'{"subject":{"a":'])
def test_deep_json_is_refused(api: Api, opening: bytes) -> None:
    for depth in (900, 1000, 5_000):
        answer = api.post(opening * depth)
        problem_of(answer, 400, "malformed-request")
    for depth in (500, 900, 20_000):
        body = b'{"to":' + b"[" * depth + b"]" * depth + b"}"
        assert api.post(body).status_code == 400


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "nonsense",
        "application/json2",
        "x" * 5000,
    ],
)
def test_another_content_type_is_refused(api: Api, content_type: str) -> None:
    body = json.dumps(SUBMISSION).encode()
    answer = api.post(body, content_type=content_type)
    assert problem_of(answer, 415, "unsupported-media-type")["Message"] == "not submitted"


@pytest.mark.parametrize("charset", ["latin-1", "bz2_codec", "nonsense", "utf-7"])
def test_a_charset_changes_nothing(api: Api, charset: str) -> None:
    answer = api.post(b'{"subject": "\xff"}', content_type=f"application/json; charset={charset}")
    problem_of(answer, 400, "malformed-request")


@pytest.mark.parametrize("field", ["subject", "message", "from", "colour"])
def test_a_body_over_the_limit_is_refused(api: Api, field: str) -> None:
    answer = api.post({**SUBMISSION, field: "x" * settings.LIMBO_MAX_REQUEST_OCTETS})
    assert problem_of(answer, 413, "too-large")["Message"] == "not submitted"


def test_a_subject_of_almost_ten_megabytes_is_refused(api: Api) -> None:
    answer = api.post({**SUBMISSION, "subject": "x" * (10 * MEGABYTE - 1000)})
    problem_of(answer, 400, "invalid-request")
    assert len(answer.content) < 1000


def test_a_text_over_ten_megabytes_is_refused(api: Api) -> None:
    answer = api.post({**SUBMISSION, "message": "x" * (10 * MEGABYTE + 1)})
    problem = problem_of(answer, 400, "invalid-request")
    assert [error["code"] for error in problem["errors"]] == ["too_long"]


def test_a_body_in_chunks_is_refused_and_not_taken_for_an_empty_one(api: Api) -> None:
    answer = api.post(b"", Transfer_Encoding="chunked")
    assert problem_of(answer, 411, "length-required")["Message"] == "not submitted"


def test_ten_thousand_recipients_are_refused(api: Api) -> None:
    readers = [f"reader{number}@example.org" for number in range(10_000)]
    problem = problem_of(api.post({**SUBMISSION, "to": readers}), 400, "invalid-request")
    assert [error["code"] for error in problem["errors"]] == ["too_many"]


@pytest.mark.parametrize("piece", ["[],", "{},", '"",', "1,", "[[[[]]]],"])
def test_ten_megabytes_of_tiny_values_take_no_more_memory_than_the_body(
    api: Api, piece: str
) -> None:
    body = ('{"to":[' + piece * (10 * MEGABYTE // len(piece) - 10) + "1]}").encode()
    tracemalloc.start()
    try:
        problem_of(api.post(body), 400, "malformed-request")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # the test's client holds copies of the body as well
    assert peak < 50 * MEGABYTE


@pytest.mark.parametrize("character", ["\r", "\n", "\r\n", "\0", "\r\nBcc: eve@example.org\r\n"])
@pytest.mark.parametrize("field", ["from", "to", "cc", "bcc", "subject"])
def test_no_line_break_gets_into_a_header(api: Api, field: str, character: str) -> None:
    text = f"Ada{character}x"
    values = {"subject": text, "from": f"{text} <ada@example.org>"}
    value = values.get(field, [f'"{text}" <ada@example.org>', f"ada@exam{character}ple.org"])
    problem = problem_of(api.post({**SUBMISSION, field: value}), 400, "invalid-request")
    assert {error["code"] for error in problem["errors"]} == {"character"}


@pytest.mark.parametrize("escaped", [r"\u0000", r"\ud800", r"\udfff\ud800"])
@pytest.mark.parametrize("field", ["from", "to", "subject", "message"])
def test_what_cannot_be_stored_is_refused(api: Api, field: str, escaped: str) -> None:
    body = json.dumps({**SUBMISSION, field: "ada@example.org@@"}).replace("@@", escaped)
    problem = problem_of(api.post(body.encode()), 400, "invalid-request")
    assert [error["pointer"] for error in problem["errors"]] == [f"#/{field}"]


@pytest.mark.parametrize("key", [r"\ud800", r"\u0000", "a/b~c", "ü", "x" * 100_000])
def test_an_unknown_key_is_named_whatever_it_is(api: Api, key: str) -> None:
    body = json.dumps({**SUBMISSION, "@@": 1}).replace("@@", key)
    answer = api.post(body.encode())
    problem = problem_of(answer, 400, "invalid-request")
    assert [error["code"] for error in problem["errors"]] == ["unknown"]
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    "query",
    [
        {"state": "\0"},
        {"recipient": "\0"},
        {"recipient": ""},
        {"created_after": ""},
        {"created_after": "\0"},
        {"created_after": "9" * 10_000},
        {"created_before": "0000-00-00"},
        {"cursor": "\0"},
        {"cursor": "rr1"},
        {"cursor": "0"},
        {"cursor": "1\n"},
        {"cursor": "ü" * 100},
        {"limit": "²"},
        {"limit": "-1"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "9" * 5000},
    ],
)
@pytest.mark.parametrize("path", ["/v1/mail", "/v1/requests"])
def test_a_bad_parameter_is_refused_by_name(api: Api, path: str, query: dict[str, str]) -> None:
    problem = problem_of(api.get(path, **query), 400, "invalid-request")
    assert {error["parameter"] for error in problem["errors"]} == set(query)


@pytest.mark.parametrize(
    "path", ["/v1/%00", "/v1/mail/%00", "/v1/%ff%fe", "/v1/" + "x" * 10_000, "/v1/../../etc"]
)
def test_a_strange_path_is_not_there(api: Api, path: str) -> None:
    problem_of(api.get(path), 404, "not-found")


@pytest.mark.parametrize(
    "body",
    [
        b'{"message":"' + b"\\n" * (5 * MEGABYTE - 10) + b'"}',
        b'"' + b'\\"' * (5 * MEGABYTE - 10),
        b'"' * (10 * MEGABYTE - 10),
        b"\\" * (10 * MEGABYTE - 10),
    ],
    ids=["escapes", "unterminated", "quotes", "backslashes"],
)
def test_ten_megabytes_of_anything_are_read_in_a_moment(api: Api, body: bytes) -> None:
    began = time.process_time()
    assert api.post(body).status_code == 400
    assert time.process_time() - began < 3
