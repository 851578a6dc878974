"""A program that keeps the given commands running, for the supervisor's tests.

`python -m tests.local.supervised '[{"first": ["sleep", "60"]}, {"second": [...]}]' GRACE_SECONDS`
"""

import json
import os
import sys
from pathlib import Path

from limbo.local.child import Child, Service
from limbo.local.console import Console
from limbo.local.supervisor import Supervisor


def main() -> None:
    """Run the stages until a signal; print the pids whenever one changes."""
    console = Console(sys.stdout)
    stages = [
        [
            Child(Service(name, argv, os.environ, Path.cwd(), float(sys.argv[2])), console)
            for name, argv in stage.items()
        ]
        for stage in json.loads(sys.argv[1])
    ]

    def tell() -> None:
        console.say("pids " + json.dumps({c.name: c.pid for stage in stages for c in stage}))

    supervisor = Supervisor(console, tell)
    supervisor.obey_signals()
    for stage in stages:
        supervisor.start(stage)
    tell()
    supervisor.watch()
    supervisor.stop()
    console.close()


if __name__ == "__main__":
    main()
