"""The door for providers: Anymail's own views, for the providers that are in use."""

from anymail import urls
from anymail.exceptions import AnymailWebhookValidationFailure
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from notifications.tracking.security import is_open

_VIEWS = {pattern.name: pattern.callback for pattern in urls.urlpatterns}


@csrf_exempt
def receive(request: HttpRequest, esp: str) -> HttpResponseBase:
    """Check and read what the provider `esp` reports; Anymail answers.

    Raises Http404 for a provider that is not in use: Anymail serves every one it knows, and whoever
    has no key or secret set would be open to anyone. Raises PermissionDenied for a forgery.
    """
    if not is_open(esp):
        raise Http404
    try:
        answer: HttpResponseBase = _VIEWS[f"{esp}_tracking_webhook"](request)
    except AnymailWebhookValidationFailure as error:
        # Django would answer 400, as if the report could not be read
        raise PermissionDenied from error
    return answer
