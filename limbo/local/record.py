"""What a run tells: scripts by `var/run.json`, the person at the terminal by its last lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limbo.local.config import ADMIN, DEMO, Config, Secrets
from limbo.local.files import write_private


@dataclass(frozen=True)
class Record:
    """How a run is reached."""

    config: Config
    secrets: Secrets
    database_url: str

    @property
    def file(self) -> Path:
        """Where scripts read it."""
        return self.config.var / "run.json"

    def write(self, pids: Mapping[str, int]) -> None:
        """Write the file; a pid of 0, or none, is null there: it does not run, or is not ours."""
        content = {
            "base_url": self.config.base_url,
            "admin_url": f"{self.config.base_url}/admin/",
            "admin_user": ADMIN,
            "admin_password": self.secrets.admin_password,
            "user": DEMO,
            "user_password": self.secrets.user_password,
            "token": self.secrets.token,
            "inbox": str(self.config.inbox),
            "database_url": self.database_url,
            "pids": {
                name: pids.get(name) or None for name in ("web", "worker", "postgres", "sink")
            },
        }
        write_private(self.file, json.dumps(content, indent=2) + "\n")

    def welcome(self) -> str:
        """What to do now."""
        url = self.config.base_url
        return f"""
Limbo is ready.

  Your messages   {url}/   as {DEMO}, password {self.secrets.user_password}
  Administration  {url}/admin/   as {ADMIN}, password {self.secrets.admin_password}
  API token       {self.secrets.token}
  Inbox           {self.config.inbox}, a Maildir
  For scripts     {self.file}

Post a message:

  curl -sS {url}/v1/mail \\
    -H 'Authorization: Bearer {self.secrets.token}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"from": "me@example.com", "to": ["you@example.com"], "subject": "Hi", "message": "Hi!"}}'

Ctrl-C ends it.
"""
