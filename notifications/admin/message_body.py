"""A message's body: a page about it, and the frames in which a stranger's words are shown.

Only the frames hold what the message says, and each writes into the log of staff's actions before
it says it: there is no way to the words that is not recorded.
"""

import re
from base64 import b64encode
from urllib.parse import unquote
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from notifications.admin.message_choices import MessageChoices
from notifications.models import Attachment, Content, Message
from notifications.policy import FRAMED, HEADER

HTML = "html"
TEXT = "text"

_MEDIA_TYPES = {HTML: "text/html", TEXT: "text/plain"}

_PICTURES = ("image/gif", "image/jpeg", "image/png", "image/webp")

_CID = re.compile(r"cid:([^\s\"'<>()]+)", re.IGNORECASE)


class MessageBodies(MessageChoices):
    """The pages that show what a message says, for those who may read it."""

    def get_urls(self) -> list[URLPattern]:
        """Django's, the page about a body, and the frames on it."""
        about = path(
            "<uuid:message_id>/content/",
            self.admin_site.admin_view(self.content_view),
            name="notifications_message_content",
        )
        frames = [
            path(
                f"<uuid:message_id>/content/{form}/",
                self.admin_site.admin_view(self.body_view),
                {"form": form},
                name=f"notifications_message_{form}",
            )
            for form in _MEDIA_TYPES
        ]
        return [about, *frames, *super().get_urls()]

    def has_content_permission(self, request: HttpRequest, message: Message | None = None) -> bool:
        """Whether this user may read bodies, or that of `message`: Limbo's own let people in."""
        if message is not None and message.owner.is_limbo:
            return False
        return request.user.has_perm("notifications.view_content")

    def content_view(self, request: HttpRequest, message_id: UUID) -> HttpResponse:
        """The page with the frame: the HTML where there is some, or by `?as=text` the text."""
        message = self._readable(request, message_id)
        forms = _forms(message)
        asked = request.GET.get("as")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Body of “{message.subject or '(no subject)'}”",
            "opts": self.opts,
            "message": message,
            "forms": forms,
            "form": asked if asked in forms else (forms or [""])[0],
        }
        return TemplateResponse(request, "admin/notifications/message/content.html", context)

    @method_decorator(xframe_options_sameorigin)
    def body_view(self, request: HttpRequest, message_id: UUID, form: str) -> HttpResponse:
        """What the message says, as `form` has it. It is recorded who read it before it is told."""
        message = self._readable(request, message_id)
        if form not in _forms(message):
            raise Http404
        content = Content.objects.get(message=message)
        self.log_change(request, message, "Read the body.")
        said = content.text if form == TEXT else _with_pictures(content)
        answer = HttpResponse(said, content_type=f"{_MEDIA_TYPES[form]}; charset=utf-8")
        answer.headers[HEADER] = FRAMED
        return answer

    def _readable(self, request: HttpRequest, message_id: UUID) -> Message:
        """The message, for whoever may read it. Raises PermissionDenied or Http404."""
        if not (self.has_view_permission(request) and self.has_content_permission(request)):
            raise PermissionDenied
        message = Message.objects.select_related("owner").filter(pk=message_id).first()
        if message is None:
            raise Http404
        if not self.has_content_permission(request, message):
            raise PermissionDenied
        return message


def _forms(message: Message) -> list[str]:
    """In what the body can be shown, the richest first; nothing where it is not kept any more."""
    has_html = ExpressionWrapper(~Q(html=""), BooleanField())
    found = Content.objects.filter(message=message).values_list(has_html).first()
    if found is None:
        return []
    return [HTML, TEXT] if found[0] else [TEXT]


def _with_pictures(content: Content) -> str:
    """The HTML with its own pictures in it: the frame can ask nobody for them."""
    if not (content.attached_octets and _CID.search(content.html)):
        return content.html
    files = Attachment.objects.filter(message=content.message_id).exclude(content_id="")
    shown = {
        file.content_id: f"data:{file.type};base64,{b64encode(file.content).decode()}"
        for file in files
        if file.type.lower() in _PICTURES
    }
    return _CID.sub(lambda found: shown.get(unquote(found[1]), found[0]), content.html)
