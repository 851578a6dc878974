"""`python -m tests.soak`: the soak, from its first line to its verdict; see `make soak`."""

import os
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django

from tests.faults.own_postgres import OwnPostgres
from tests.soak.options import Options
from tests.soak.stack import Providers


def main() -> None:
    """Run as the environment says; the exit code is 0 only when everything held."""
    try:
        options = Options.read(os.environ)
    except ValueError as error:
        raise SystemExit(f"make soak: {error}") from None
    folder = Path(tempfile.mkdtemp(prefix="limbo-soak-"))
    folder.chmod(0o755)
    print(f"SEED={options.seed} RATE={options.rate:g} MINUTES={options.minutes:g}, in {folder}")
    # so that what was started is ended
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if not _soak(folder, options):
        raise SystemExit(f"The soak failed; logs, records and the database are in {folder}")
    shutil.rmtree(folder)


def _soak(folder: Path, options: Options) -> bool:
    with ExitStack() as stack:
        postgres = OwnPostgres(folder)
        postgres.start()
        stack.callback(postgres.stop)
        providers = stack.enter_context(Providers(folder, options).running())
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "limbo.settings",
            "DATABASE_URL": postgres.url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "LIMBO_LOCAL": "1",
            "LOG_LEVEL": "WARNING",
            "LIMBO_PROVIDERS": providers.setting,
        }
        django.setup()
        # models can be imported only after Django's setup
        from tests.soak.run import run

        return run(folder, options, postgres, providers)


if __name__ == "__main__":
    main()
