"""Calls go where they may, to the address that was checked, and end in time."""

import ssl
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from notifications.webhooks import outbound
from notifications.webhooks.addresses import is_public, resolve
from notifications.webhooks.outbound import Outbound
from tests.peers.actions import drop, reset, stall
from tests.peers.certificate import make_certificate
from tests.peers.http_peer import Answer, HttpPeer

LOOPBACK = "127.0.0.1"


class Names:
    """A resolver that gives one set of answers after the other."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def post(out: Outbound, url: str) -> outbound.Answer:
    """Post something to `url`."""
    return out.post(url, headers={"content-type": "application/json"}, body=b"{}")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2001:0:7f00:1::1",
        "2002:7f00:1::1",
        "2001:db8::1",
    ],
)
def test_addresses_within_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "017700000001", "127.1"]
)
def test_no_spelling_of_this_machine_is_called(host: str) -> None:
    with HttpPeer() as peer:
        answer = post(Outbound(allow_private=False), f"http://{host}:{peer.port}/")
        assert peer.connections == 0
    assert answer.status is None
    assert "private network" in answer.text or "gaierror" in answer.text


def test_a_name_that_leads_inside_is_not_called() -> None:
    names = Names([LOOPBACK])
    with HttpPeer() as peer:
        out = Outbound(allow_private=False, resolver=names)
        answer = post(out, f"http://innocent.example:{peer.port}/")
        assert peer.connections == 0
    assert (answer.status, names.asked) == (None, ["innocent.example"])


def test_a_name_with_one_address_inside_is_not_called() -> None:
    with HttpPeer() as peer:
        out = Outbound(allow_private=False, resolver=Names(["8.8.8.8", LOOPBACK]))
        answer = post(out, f"http://innocent.example:{peer.port}/")
        assert peer.connections == 0
    assert "private network" in answer.text


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind() -> None:
    # the first answer is checked and called; a second look would lead elsewhere
    names = Names([LOOPBACK], ["127.0.0.2"])
    with HttpPeer(speak=lambda _: Answer(200)) as peer:
        out = Outbound(allow_private=True, resolver=names)
        assert post(out, f"http://changing.example:{peer.port}/").is_success
        (request,) = peer.requests
    assert names.asked == ["changing.example"]
    assert request.headers["host"] == f"changing.example:{peer.port}"


def test_the_next_address_is_called_where_the_first_is_silent() -> None:
    with HttpPeer() as peer:
        out = Outbound(allow_private=True, resolver=Names(["127.0.0.3", LOOPBACK]))
        assert post(out, f"http://two.example:{peer.port}/").is_success


def test_a_redirect_is_not_followed() -> None:
    with HttpPeer() as inside, HttpPeer(Answer(307, headers={"Location": inside.url})) as peer:
        answer = post(Outbound(allow_private=True), peer.url)
        assert inside.connections == 0
    assert (answer.status, answer.is_success) == (307, False)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpPeer() as proxy, HttpPeer() as peer:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert post(Outbound(allow_private=True), peer.url).is_success
        assert proxy.connections == 0


def test_the_certificate_must_be_the_names_not_the_addresses(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, host="hooks.example")
    trusting = ssl.create_default_context(cafile=str(certificate.authority))
    with HttpPeer(certificate=certificate) as peer:
        out = Outbound(allow_private=True, resolver=Names([LOOPBACK]), ssl_context=trusting)
        assert post(out, f"https://hooks.example:{peer.port}/").is_success
        refused = post(out, f"https://other.example:{peer.port}/")
    assert refused.status is None
    assert "other.example" in refused.text


def test_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, host="hooks.example")
    with HttpPeer(certificate=certificate) as peer:
        out = Outbound(allow_private=True, resolver=Names([LOOPBACK]))
        answer = post(out, f"https://hooks.example:{peer.port}/")
        assert peer.requests == []
    assert "certificate" in answer.text


def test_a_long_answer_is_not_read_to_its_end() -> None:
    with HttpPeer(Answer(500, "x" * 50_000_000)) as peer:
        answer = post(Outbound(allow_private=True), peer.url)
    assert (answer.status, answer.text) == (500, "x" * 1024)


def test_null_characters_of_an_answer_are_dropped() -> None:
    with HttpPeer(Answer(500, "a\x00b")) as peer:
        assert post(Outbound(allow_private=True), peer.url).text == "ab"


def test_a_failure_of_the_network_is_an_answer_without_status() -> None:
    with HttpPeer(on_request=drop()) as hanging_up, HttpPeer(on_connect=reset()) as resetting:
        out = Outbound(allow_private=True)
        texts = [post(out, peer.url).text for peer in (hanging_up, resetting)]
        closed = hanging_up.url
    texts.append(post(out, closed).text)
    assert all(texts)


def test_a_name_that_does_not_exist_is_an_answer_without_status() -> None:
    def nowhere(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    answer = post(Outbound(allow_private=False, resolver=nowhere), "https://nowhere.example/")
    assert (answer.status, answer.text) == (None, "OSError: Name or service not known")


def test_a_host_that_is_no_name_is_an_oserror() -> None:
    with pytest.raises(OSError, match="not a host"):
        resolve("x" * 300 + ".example", 443)


@pytest.mark.parametrize(
    "peer",
    [
        HttpPeer(on_request=stall()),
        HttpPeer(Answer(200, "slow", drip_every=0.1)),
        HttpPeer(on_connect=stall()),
    ],
    ids=["silent", "a byte at a time", "not reading"],
)
def test_one_deadline_bounds_the_whole_call(
    peer: HttpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "DEADLINE_SECONDS", 1.0)
    with peer:
        began = time.monotonic()
        answer = post(Outbound(allow_private=True), peer.url)
        assert time.monotonic() - began < 2
    assert answer.status is None
    assert "Timeout" in answer.text


def test_what_an_endpoint_asks_to_wait_is_read() -> None:
    with HttpPeer(Answer(429, headers={"Retry-After": "120"})) as peer:
        assert post(Outbound(allow_private=True), peer.url).retry_after == 120
