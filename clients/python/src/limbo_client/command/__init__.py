"""The `limbo` command: send a message, look what became of it, follow the events, keep tokens.

Its exit codes are `Exit`'s. What it was asked for goes to standard output, in lines for people or,
with `--json`, for programs; what went wrong goes to standard error.
"""

import os
import sys
from collections.abc import Sequence

from limbo_client.command.arguments import parser
from limbo_client.command.exits import Exit, exit_of
from limbo_client.errors import ApiError, LimboError
from limbo_client.synchronous import Limbo


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say (the process's, if not given); returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        with Limbo(options.url, options.token) as limbo:
            return int(options.run(limbo, options))
    except LimboError as error:
        print(_told(error), file=sys.stderr)
        return exit_of(error)
    except OSError as error:
        return _without_a_file(error)
    except UnicodeDecodeError:
        print("limbo: the text is not in UTF-8", file=sys.stderr)
        return Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _without_a_file(error: OSError) -> int:
    if isinstance(error, BrokenPipeError):
        # whoever read our output has seen enough; nothing may be flushed into it at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    print(f"limbo: {error.filename}: {error.strerror}", file=sys.stderr)
    return Exit.USAGE


def _told(error: LimboError) -> str:
    """What went wrong: every fault in a line."""
    lines = [f"limbo: {error}"]
    if isinstance(error, ApiError):
        faults = [(fault.pointer.lstrip("#/") or fault.parameter, fault) for fault in error.errors]
        lines += [f"  {place}: {fault.detail}" for place, fault in faults if place]
        lines += [f"  request {error.request_id}"] if error.request_id else []
    return "\n".join(lines)
