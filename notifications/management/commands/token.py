"""`manage.py token`: create, list and revoke API tokens."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from notifications.intake.tokens import USUAL_SCOPES, issue_token, revoke
from notifications.models import ApiToken, Scope, User


class Command(BaseCommand):
    """Manage API tokens from the command line."""

    help = "Create, list or revoke API tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        _add_create(verbs.add_parser("create", help="make a token and print it, this once"))
        listing = verbs.add_parser("list", help="list tokens")
        listing.add_argument("--user", help="only this user's")
        ending = verbs.add_parser("revoke", help="end a token now")
        ending.add_argument("prefix", help="the token's first characters, as `list` shows them")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do what the verb says. Raises CommandError for a user or token that is not there."""
        getattr(self, f"_{options['verb']}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        days = options["days"]
        token, plain = issue_token(
            owner=_user(options["user"]),
            name=options["name"],
            scopes=options["scope"] or USUAL_SCOPES,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
            allowed_senders=options["sender"],
            allowed_networks=options["network"],
            is_test=options["test"],
        )
        # the token alone goes to standard output, so that a script can take it from there
        self.stderr.write(f"Token {token} for {token.owner}. It is shown only now:")
        self.stdout.write(plain)

    def _list(self, options: dict[str, Any]) -> None:
        tokens = ApiToken.objects.select_related("owner").order_by("owner__username", "created_at")
        if options["user"]:
            tokens = tokens.filter(owner=_user(options["user"]))
        for token in tokens:
            self.stdout.write(
                f"{token.prefix}  {token.owner.get_username():<20} {_standing(token):<8} "
                f"{','.join(token.scopes):<10} {token.name}"
            )

    def _revoke(self, options: dict[str, Any]) -> None:
        found = list(ApiToken.objects.filter(prefix=options["prefix"])[:2])
        if len(found) != 1:
            raise CommandError(f"{len(found) or 'No'} tokens begin with {options['prefix']}.")
        revoke(found[0])
        self.stdout.write(f"Revoked {found[0]}.")


def _add_create(parser: ArgumentParser) -> None:
    parser.add_argument("--user", required=True, help="the owner's user name")
    parser.add_argument("--name", required=True, help="what it is for")
    parser.add_argument(
        "--scope",
        action="append",
        choices=Scope.values,
        help="may be repeated; default: send and read",
    )
    parser.add_argument(
        "--sender",
        action="append",
        default=[],
        help="an address or a domain it may send from; may be repeated; default: any",
    )
    parser.add_argument(
        "--network",
        action="append",
        default=[],
        type=_network,
        help="where it may be used from (192.0.2.0/24); may be repeated; default: anywhere",
    )
    parser.add_argument(
        "--test", action="store_true", help="what it submits goes to the sandbox, and to nobody"
    )
    parser.add_argument("--days", type=int, help="how long it is valid; default: until revoked")


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _user(username: str) -> User:
    try:
        return User.objects.get(username=username)
    except User.DoesNotExist:
        raise CommandError(f"There is no user {username!r}.") from None


def _standing(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "valid" if token.is_valid(now=timezone.now()) else "expired"
