"""Staff's home: what is wrong now, then how much comes and goes."""

from typing import Any

from django.http import HttpRequest

from notifications.admin.home_findings import findings_for
from notifications.admin.home_rates import rates_context


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the home page's values what this user may see of it."""
    findings = findings_for(request.user)
    wrong = [finding for finding in findings if finding.is_wrong]
    fine = [finding for finding in findings if not finding.is_wrong]
    shown = {**context, "title": "Home", "findings": findings, "wrong": wrong, "fine": fine}
    if request.user.has_perm("notifications.view_message"):
        shown |= rates_context(request.GET.get("period", ""))
    return shown
