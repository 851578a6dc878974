"""A link to a new password, from the page through the real processes to the inbox."""

import mailbox
import re
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest

from notifications.models import User
from tests.conftest import wait_until
from tests.e2e.system import System, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

NEW = "battery staple 9"


def post(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send a form as a browser does that has loaded its page."""
    browser.get(path).raise_for_status()
    form = {**fields, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    return browser.post(path, data=form)


def texts_in(inbox: Path) -> list[str]:
    """What the messages in a Maildir say."""
    raw = [mail.as_bytes() for mail in mailbox.Maildir(inbox)]
    return [message_from_bytes(one, policy=policy.default).get_content() for one in raw]


def test_the_link_to_a_new_password_arrives_and_works(tmp_path: Path) -> None:
    User.objects.create_user("ada", "ada@example.org", "correct horse")
    inbox, sink_port = tmp_path / "inbox", free_port()
    sender = {"LIMBO_SENDER": "Limbo <limbo@example.com>"}
    with System(tmp_path, f"sink=smtp://127.0.0.1:{sink_port}", **sender) as system:
        options = ["--port", str(sink_port), "--inbox", str(inbox)]
        system.start("sink", ["-m", "limbo.local.sink", *options])
        system.start_web()
        system.start_worker()
        url = f"http://127.0.0.1:{system.port}"
        with httpx.Client(base_url=url, follow_redirects=True, trust_env=False) as browser:
            assert (
                "Look into your inbox" in post(browser, "/password/", email="ada@example.org").text
            )
            (text,) = wait_until(lambda: texts_in(inbox))
            (link,) = re.findall(r"/password/new/\S+", text)
            form = browser.get(link).url.path
            assert "is changed" in post(browser, form, password1=NEW, password2=NEW).text
            answer = post(browser, "/sign-in/", login="ada", password=NEW)
            assert answer.url.path == "/messages/"
