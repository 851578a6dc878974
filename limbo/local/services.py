"""What runs beside the database: the programs, with their arguments and environment."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from limbo.local.child import Service
from limbo.local.config import HOST, Config, Secrets

ROOT = Path(__file__).resolve().parent.parent.parent


class Services:
    """The programs of one run."""

    def __init__(self, config: Config, secrets: Secrets, database_url: str) -> None:
        self._config = config
        self._env = environment(config, secrets, database_url)

    def migrate(self) -> Service:
        """Brings the database up to date, and ends."""
        return self._python("migrate", "manage.py", "migrate", "--verbosity=0")

    def seed(self, secrets_file: Path) -> Service:
        """Makes the people, and ends."""
        return self._python("seed", "-m", "limbo.local.seed", str(secrets_file))

    def sink(self) -> Service:
        """The local inbox."""
        port, inbox = str(self._config.sink_port), str(self._config.inbox)
        return self._python("sink", "-m", "limbo.local.sink", "--port", port, "--inbox", inbox)

    def worker(self) -> Service:
        """Gets messages out."""
        worker = self._python("worker", "manage.py", "qcluster")
        # it lets what is on the wire end, for 8 s, and then has to tidy up
        return replace(worker, grace_seconds=12.0)

    def web(self) -> Service:
        """The API and the pages."""
        options = {
            "--interface": "wsgi",
            "--host": HOST,
            "--port": str(self._config.port),
            "--workers": "1",
            "--blocking-threads": "8",
            # a request that hangs must not keep the whole from ending
            "--workers-kill-timeout": "5",
        }
        arguments = [part for option in options.items() for part in option]
        return self._python("web", "-m", "granian", "--no-ws", *arguments, "limbo.wsgi:application")

    def _python(self, name: str, *arguments: str) -> Service:
        return Service(name, [sys.executable, *arguments], self._env, ROOT)


def environment(config: Config, secrets: Secrets, database_url: str) -> Mapping[str, str]:
    """What Limbo's programs are told by their environment."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "limbo.settings",
        "SECRET_KEY": secrets.secret_key,
        "DATABASE_URL": database_url,
        "LIMBO_LOCAL": "1",
        "LIMBO_BASE_URL": config.base_url,
        "LIMBO_SENDER": os.environ.get("LIMBO_SENDER") or "Limbo <limbo@example.com>",
        "LIMBO_JOURNAL_DIR": str(config.var / "journal"),
        "LIMBO_PROVIDERS": config.providers or config.own_provider,
        # a log line is worth most while it is new
        "PYTHONUNBUFFERED": "1",
        # static files come from where they are written; nothing was collected
        "PYTHONWARNINGS": "ignore:No directory at:UserWarning",
    }
