"""How many made-up messages are asked for."""

import pytest

from limbo.local.demo_data.__main__ import read_count
from limbo.local.errors import RunError


@pytest.mark.parametrize("text", ["-1", "0", "many", "1.5"])
def test_what_is_no_number_of_messages_is_refused(text: str) -> None:
    with pytest.raises(RunError, match="N must be"):
        read_count(text)


def test_a_number_may_be_written_as_people_do() -> None:
    assert read_count("1,000,000") == read_count("1_000_000") == read_count("1000000")
