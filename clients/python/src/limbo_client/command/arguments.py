"""The command line."""

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from limbo_client.command.sending import run_send
from limbo_client.command.showing import run_status
from limbo_client.command.tailing import run_tail
from limbo_client.command.tokens import run_create, run_list, run_revoke

_EXITS = """exit codes:
  0 done; 1 Limbo refused it; 2 the command line, a file or the environment is wrong;
  3 Limbo was not reached or failed, try again; with --wait: 4 the message did not go out
  to everyone, 5 it is still under way"""


def parser() -> argparse.ArgumentParser:
    """What the command understands; `run` of what it parses is the function to call."""
    top = argparse.ArgumentParser(
        prog="limbo",
        description="Send through Limbo, and see what became of it.",
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--url", help="where Limbo is; LIMBO_URL if not given")
    top.add_argument("--token", help="the token; LIMBO_TOKEN if not given, which others cannot see")
    commands = top.add_subparsers(required=True, metavar="command")
    _add_send(commands)
    _add_status(commands)
    _add_tail(commands)
    _add_tokens(commands)
    return top


def _command(commands: Any, name: str, does: str, run: Any) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=does,
        description=does[0].upper() + does[1:] + ".",
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--json", action="store_true", help="for programs: JSON")
    command.set_defaults(run=run)
    return command


def _add_send(commands: Any) -> None:
    send = _command(
        commands, "send", "submit a message; its text is read from standard input", run_send
    )
    send.add_argument("--from", dest="sender", required=True, metavar="ADDRESS")
    for name in ("to", "cc", "bcc", "reply-to"):
        send.add_argument(f"--{name}", action="append", default=[], metavar="ADDRESS")
    send.add_argument("--subject")
    send.add_argument("--text", help="in place of standard input")
    send.add_argument("--html", type=Path, metavar="FILE", help="the HTML's file")
    send.add_argument("--attach", action="append", default=[], type=Path, metavar="FILE")
    send.add_argument("--header", action="append", default=[], type=_pair, metavar="NAME=VALUE")
    send.add_argument("--tag", action="append", default=[], metavar="TAG")
    send.add_argument("--metadata", action="append", default=[], type=_pair, metavar="KEY=VALUE")
    send.add_argument("--priority", help="urgent, normal or bulk")
    send.add_argument("--send-at", type=_moment, metavar="TIME", help="ISO 8601 with offset")
    send.add_argument("--expires-at", type=_moment, metavar="TIME")
    send.add_argument("--provider", help="which provider is asked first")
    send.add_argument("--template", metavar="NAME", help="in place of subject and bodies")
    send.add_argument("--variables", type=_object, metavar="JSON", help="for the template")
    send.add_argument("--idempotency-key", metavar="KEY", help="stores a message once for each key")
    _add_wait(send)


def _add_status(commands: Any) -> None:
    status = _command(commands, "status", "show a message and what became of it", run_status)
    status.add_argument("id", help="the message's id")
    _add_wait(status)


def _add_tail(commands: Any) -> None:
    tail = _command(commands, "tail", "print events as they happen", run_tail)
    start = tail.add_mutually_exclusive_group()
    start.add_argument("--all", action="store_true", help="begin with the first event there is")
    start.add_argument("--cursor", help="begin there")
    start.add_argument(
        "--cursor-file",
        type=Path,
        metavar="FILE",
        help="begin where FILE says, and keep it up to date",
    )
    tail.add_argument("--no-wait", action="store_true", help="end when there is no event left")


def _add_tokens(commands: Any) -> None:
    tokens = commands.add_parser("tokens", help="list, make and revoke tokens")
    verbs = tokens.add_subparsers(required=True, metavar="verb")
    _command(verbs, "list", "list one's tokens, newest first", run_list)
    create = _command(verbs, "create", "make a token and print it, this once", run_create)
    create.add_argument("name", help="what it is for")
    create.add_argument("--scope", action="append", default=[], help="send, read, content, manage")
    create.add_argument("--expires-at", type=_moment, metavar="TIME", help="ISO 8601 with offset")
    create.add_argument("--sender", action="append", default=[], metavar="ADDRESS")
    create.add_argument("--network", action="append", default=[], metavar="CIDR")
    create.add_argument(
        "--test",
        action="store_true",
        default=None,
        help="what it submits goes to the sandbox, and to nobody",
    )
    revoke = _command(verbs, "revoke", "end a token", run_revoke)
    revoke.add_argument("id", help="the token's id, as `list` shows it")


def _add_wait(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--wait",
        type=float,
        nargs="?",
        const=60.0,
        metavar="SECONDS",
        help="wait until the message is settled, 60 seconds unless given",
    )


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        told = f"{text!r} is not a time with its offset, such as 2026-11-25T10:00:00+01:00"
        raise argparse.ArgumentTypeError(told)
    return moment


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("the variables are not a JSON object")
    return value
