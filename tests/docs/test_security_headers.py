"""The paper on security headers has the policies that are sent."""

import re
from pathlib import Path

from django.conf import settings as project

from notifications.policy import ADMIN, FRAMED, PAGES

PAPER = (Path(project.BASE_DIR) / "docs/reference/security-headers.md").read_text()


def test_the_policies_are_those_that_are_sent() -> None:
    shown = re.findall(r"```\n(default-src.*?)\n```", PAPER, re.DOTALL)
    assert [" ".join(policy.split()) for policy in shown] == [PAGES, ADMIN, FRAMED]
