"""What can go wrong with Limbo on one machine.

LocalError
├── LocalPostgresError
└── RunError
"""


class LocalError(Exception):
    """Says, for the person at the terminal, what went wrong."""


class LocalPostgresError(LocalError):
    """The local PostgreSQL could not be made, started or reached."""


class RunError(LocalError):
    """`make run` cannot begin or go on."""
