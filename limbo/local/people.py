"""The people of a local Limbo, with an admin's and a user's view of it."""

from pathlib import Path

from limbo.local.config import ADMIN, DEMO, Secrets
from notifications.intake.tokens import authenticate, issue_token
from notifications.models import User


def ensure_people(file: Path) -> None:
    """Make the admin, the demo user and the user's token, unless they are there.

    The passwords kept in `file` hold afterwards. So does its token: it is made anew, and kept, when
    the database does not know it or it is no longer valid.
    """
    kept = Secrets.load(file)
    _ensure_user(ADMIN, kept.admin_password, staff=True)
    demo = _ensure_user(DEMO, kept.user_password, staff=False)
    token = authenticate(kept.token)
    if token is None or token.owner != demo:
        _, kept.token = issue_token(owner=demo, name="make run")
        kept.save(file)


def _ensure_user(name: str, password: str, *, staff: bool) -> User:
    user, _ = User.objects.get_or_create(
        username=name,
        defaults={"email": f"{name}@example.com", "is_staff": staff, "is_superuser": staff},
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user
