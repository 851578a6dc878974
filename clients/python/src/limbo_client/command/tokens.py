"""`limbo tokens`: list, make and revoke tokens."""

import argparse
import sys

from limbo_client.command.exits import Exit
from limbo_client.command.output import as_json, moment, printable
from limbo_client.results import Token
from limbo_client.synchronous import Limbo


def run_list(limbo: Limbo, options: argparse.Namespace) -> Exit:
    """Tell of each token in a line."""
    tokens = tuple(limbo.list_tokens())
    lines = [as_json(tokens)] if options.json else [_line(token) for token in tokens]
    for line in lines:
        print(line)
    return Exit.DONE


def run_create(limbo: Limbo, options: argparse.Namespace) -> Exit:
    """Make a token; it alone goes to standard output, so that a script can take it from there."""
    made = limbo.create_token(
        options.name,
        scopes=options.scope,
        expires_at=options.expires_at,
        allowed_senders=options.sender,
        allowed_networks=options.network,
        test=options.test,
    )
    if options.json:
        print(as_json(made))
        return Exit.DONE
    print(f"Token {made.id} ({printable(made.name)}). It is shown only now:", file=sys.stderr)
    print(made.token)
    return Exit.DONE


def run_revoke(limbo: Limbo, options: argparse.Namespace) -> Exit:
    """End a token."""
    limbo.revoke_token(options.id)
    return Exit.DONE


def _line(token: Token) -> str:
    if token.revoked_at:
        standing = f"revoked {moment(token.revoked_at)}"
    else:
        standing = f"until {moment(token.expires_at)}" if token.expires_at else "valid"
    return printable(
        f"{token.id}  {token.prefix}  {','.join(token.scopes)}  {standing}  {token.name}"
    )
