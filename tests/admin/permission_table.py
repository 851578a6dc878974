"""Who may open which of the admin's pages: one row for each address, for reading and for posting.

A row names the first of the roles, in this order, that is let in; all after it are too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ANONYMOUS, USER, STAFF, VIEWER, SUPPORT, OPERATOR, SUPERUSER = ROLES = (
    "anonymous",
    "user",
    "staff without a group",
    "viewer",
    "support",
    "operator",
    "superuser",
)
NOBODY = "nobody"

SIGN_IN = "is led to the sign-in"


@dataclass(frozen=True, slots=True)
class Row:
    """From whom on an address may be read and posted to, and what it then answers."""

    get: str
    post: str
    got: int = 200
    posted: int = 200
    """To an empty form."""
    refused: int = 403
    """What staff are answered who are not let in."""

    def expected(self, role: str) -> tuple[int | str, int | str]:
        """What `role` is answered when it reads, and when it posts."""
        return (
            self.got if _may(role, self.get) else self._turned_away(role),
            self.posted if _may(role, self.post) else self._turned_away(role),
        )

    def _turned_away(self, role: str) -> int | str:
        return SIGN_IN if role in (ANONYMOUS, USER) else self.refused


def _may(role: str, first: str) -> bool:
    return first != NOBODY and ROLES.index(role) >= ROLES.index(first)


def screen(
    model: str,
    *,
    see: str,
    add: str = NOBODY,
    change: str = NOBODY,
    delete: str = NOBODY,
    changed: int = 200,
) -> dict[str, Row]:
    """The rows of a model's usual pages."""
    return {
        f"{model}_changelist": Row(see, see),
        f"{model}_history": Row(see, see),
        f"{model}_add": Row(add, add),
        f"{model}_change": Row(see, change, posted=changed),
        f"{model}_delete": Row(delete, delete),
    }


TABLE: Mapping[str, Row] = {
    # the site's own
    "index": Row(STAFF, STAFF),
    "password_change": Row(STAFF, STAFF),
    "password_change_done": Row(STAFF, STAFF, posted=405),
    "jsi18n": Row(STAFF, STAFF, posted=405),
    "search": Row(STAFF, STAFF),
    "autocomplete": Row(SUPPORT, STAFF, posted=405),
    "view_on_site": Row(STAFF, STAFF, 404, 404),
    "app_list": Row(VIEWER, VIEWER, refused=404),
    # one for each screen
    **screen("notifications_message", see=VIEWER),
    "notifications_message_content": Row(SUPPORT, SUPPORT),
    "notifications_message_text": Row(SUPPORT, SUPPORT),
    # the message of the test has none
    "notifications_message_html": Row(SUPPORT, SUPPORT, 404, 404),
    **screen("notifications_bulkaction", see=VIEWER),
    "notifications_bulkaction_progress": Row(VIEWER, VIEWER),
    "notifications_bulkaction_stop": Row(SUPPORT, SUPPORT, got=405, posted=302),
    "notifications_bulkaction_go_on": Row(SUPPORT, SUPPORT, got=405, posted=302),
    **screen("notifications_requestlog", see=VIEWER),
    **screen("notifications_provider", see=VIEWER),
    "notifications_provider_board": Row(VIEWER, VIEWER, posted=405),
    "notifications_provider_live": Row(VIEWER, VIEWER, posted=405),
    "notifications_provider_choose": Row(OPERATOR, OPERATOR, got=405),
    **screen("notifications_suppression", see=VIEWER, add=SUPPORT, delete=SUPPORT),
    **screen("notifications_webhookendpoint", see=VIEWER, add=OPERATOR, change=OPERATOR),
    **screen("notifications_webhookdelivery", see=VIEWER),
    **screen("notifications_apitoken", see=SUPPORT, add=OPERATOR),
    **screen("notifications_user", see=SUPPORT, add=OPERATOR, change=OPERATOR, delete=SUPERUSER),
    "notifications_user_let_in": Row(OPERATOR, OPERATOR),
    "auth_user_password_change": Row(OPERATOR, OPERATOR),
    **screen("auth_group", see=SUPERUSER, add=SUPERUSER, change=SUPERUSER, delete=SUPERUSER),
    **screen("mfa_authenticator", see=OPERATOR, delete=OPERATOR),
    **screen("admin_logentry", see=OPERATOR),
    **screen("django_q_failure", see=OPERATOR),
    **screen("django_q_schedule", see=OPERATOR),
}

ACTIONS: Mapping[str, Mapping[str, str]] = {
    "notifications_message": {
        "retry_now": SUPPORT,
        "requeue": SUPPORT,
        "settle_as_sent": SUPPORT,
        "send_again": SUPPORT,
        "cancel": SUPPORT,
    },
    "notifications_suppression": {"delete_selected": SUPPORT},
    "notifications_apitoken": {"revoke_tokens": OPERATOR},
    "notifications_user": {"delete_selected": SUPERUSER},
    "auth_group": {"delete_selected": SUPERUSER},
    "mfa_authenticator": {"delete_selected": OPERATOR},
}
"""From whom on a list offers an action; a list that is not here offers none."""
