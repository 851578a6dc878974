"""`python -m limbo.local.seed var/secrets.json`: makes the people of a local Limbo."""

import sys
from pathlib import Path

import django


def main() -> None:
    """Read the command line and make them."""
    django.setup()
    # models can be imported only after Django's setup
    from limbo.local.people import ensure_people  # noqa: PLC0415

    ensure_people(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
