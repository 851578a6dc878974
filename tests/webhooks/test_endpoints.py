"""An endpoint is made with a URL that Limbo would call, and a secret that it shows once."""

import base64
from datetime import UTC, datetime

import pytest
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook

from notifications.models import User, WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.webhooks.endpoints import EVENT_TYPES, check_url, create_endpoint
from notifications.webhooks.errors import EndpointError, SecretLostError
from notifications.webhooks.secret import new_secret, seal, unseal
from tests import stories
from tests.peers.http_peer import HttpPeer
from tests.webhooks.conftest import run, verified

OLD_KEY = "the-old-key-" * 6
NEW_KEY = "the-new-key-" * 6


def test_the_secret_is_stored_encrypted(owner: User) -> None:
    endpoint, secret = create_endpoint(owner=owner, url="https://hooks.example.com/", kinds=[])
    endpoint.refresh_from_db()
    assert secret not in endpoint.sealed_secret
    assert unseal(endpoint.sealed_secret) == secret
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


def test_no_two_secrets_are_alike() -> None:
    secret = new_secret()
    assert secret != new_secret()
    assert seal(secret) != seal(secret)


def test_a_secret_outlives_a_new_secret_key_while_the_old_one_is_known(settings: Settings) -> None:
    settings.SECRET_KEY = OLD_KEY
    secret = new_secret()
    sealed = seal(secret)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [OLD_KEY]
    assert unseal(sealed) == secret
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SecretLostError, match="SECRET_KEY_FALLBACKS"):
        unseal(sealed)


def test_an_endpoint_whose_secret_is_lost_is_disabled(
    owner: User, taker: HttpPeer, settings: Settings
) -> None:
    create_endpoint(owner=owner, url=taker.url, kinds=[])
    settings.SECRET_KEY = NEW_KEY
    stories.accepted(owner, "ann@example.org")
    run()
    endpoint = WebhookEndpoint.objects.get()
    assert not endpoint.enabled
    assert "SECRET_KEY was changed" in endpoint.disabled_reason
    assert taker.requests == []
    assert WebhookDelivery.objects.get().state == WebhookState.PENDING


def test_each_endpoint_has_a_secret_of_its_own(owner: User, taker: HttpPeer) -> None:
    _, first = create_endpoint(owner=owner, url=f"{taker.url}first", kinds=[])
    _, second = create_endpoint(owner=owner, url=f"{taker.url}second", kinds=[])
    stories.accepted(owner, "ann@example.org")
    run()
    for request in taker.requests:
        verified(request, first if request.path == "/first" else second)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:port/",
        "https://hooks.exam\nple.com/",
    ],
)
def test_an_unusable_url_is_refused(owner: User, url: str) -> None:
    with pytest.raises(EndpointError):
        create_endpoint(owner=owner, url=url, kinds=[])
    assert not WebhookEndpoint.objects.exists()


def test_plain_http_is_for_a_machine_of_ones_own(settings: Settings) -> None:
    check_url("http://127.0.0.1:9000/")
    settings.LIMBO_LOCAL = False
    check_url("https://hooks.example.com/path?query=1")
    with pytest.raises(EndpointError, match="https://"):
        check_url("http://hooks.example.com/")


def test_every_state_has_a_type_of_the_standards_form() -> None:
    assert EVENT_TYPES["accepted"] == "message.accepted"
    assert EVENT_TYPES["bounced"] == "delivery.bounced"
    assert len(EVENT_TYPES) == 19


def test_the_librarys_signature_is_that_of_the_standard() -> None:
    # the example of the specification's reference implementations
    signed = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        '{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
