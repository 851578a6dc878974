"""Making, changing and removing templates. What one once said stays: messages refer to it."""

import re

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from notifications.intake.errors import Fault, ImpossibleRequestError, NameTakenError
from notifications.intake.templates.drafts import NAME, PARTS, UUID_FORM, Draft
from notifications.models import Template, TemplateVersion, User

_ID = re.compile(UUID_FORM, re.IGNORECASE)


def named(reference: str, *, template: str = "") -> Q:
    """The condition that a template has this id or name; `template` is a look-up's prefix."""
    if _ID.fullmatch(reference):
        return Q((f"{template}id", reference))
    # what can be no name need not be looked for, and perhaps cannot
    is_name = NAME.fullmatch(reference) is not None
    return Q((f"{template}name", reference)) if is_name else Q(pk__in=())


def versions_of(
    owner: User, reference: str, number: int | None = None
) -> QuerySet[TemplateVersion]:
    """The version `number` of `owner`'s template, or the current one; nothing if there is none.

    `reference` is the template's id or name.
    """
    return TemplateVersion.objects.filter(
        named(reference, template="template__"),
        template__owner=owner,
        template__deleted_at=None,
        number=F("template__version") if number is None else number,
    )


def create_template(*, owner: User, draft: Draft) -> TemplateVersion:
    """Store a template; returns its first version.

    `draft` is whole, as `read_new_template` makes it. Raises NameTakenError.
    """
    try:
        with transaction.atomic():
            template = Template.objects.create(
                owner=owner, name=draft.name or "", description=draft.description or "", version=1
            )
            return _add_version(template, draft)
    except IntegrityError as error:
        raise NameTakenError(draft.name or "") from error


def change_template(*, owner: User, reference: str, draft: Draft) -> TemplateVersion | None:
    """Change what `draft` says; other sources make a new version. Returns the current version.

    None if the owner has no such template. Raises NameTakenError, and ImpossibleRequestError if no
    body would be left.
    """
    try:
        with transaction.atomic():
            template = _locked(owner, reference)
            return None if template is None else _change(template, draft)
    except IntegrityError as error:
        raise NameTakenError(draft.name or "") from error


def delete_template(*, owner: User, reference: str) -> bool:
    """Let nobody send by the template from now on; whether there was one.

    Its name is free again. Its versions stay with the messages that were made from them.
    """
    owned = Template.objects.owned_by(owner).filter(named(reference))
    return bool(owned.update(deleted_at=Now()))


def _locked(owner: User, reference: str) -> Template | None:
    # one change after the other: each version's number follows the last one's
    owned = Template.objects.owned_by(owner).filter(named(reference))
    return owned.select_for_update().first()


def _change(template: Template, draft: Draft) -> TemplateVersion:
    current = template.versions.get(number=template.version)
    sources = {part: getattr(current, part) for part in PARTS}
    wanted = {part: _either(getattr(draft, part), sources[part]) for part in PARTS}
    if not wanted["text"] and not wanted["html"]:
        detail = "A template needs a text, an HTML body, or both."
        raise ImpossibleRequestError(Fault("/text", detail, "required"))
    is_new = wanted != sources
    template.name = _either(draft.name, template.name)
    template.description = _either(draft.description, template.description)
    template.version += is_new
    template.updated_at = Now()
    template.save(update_fields=["name", "description", "version", "updated_at"])
    template.refresh_from_db(fields=["updated_at"])
    return _add_version(template, Draft(**wanted)) if is_new else current


def _add_version(template: Template, draft: Draft) -> TemplateVersion:
    return TemplateVersion.objects.create(
        template=template,
        number=template.version,
        subject=draft.subject or "",
        text=draft.text or "",
        html=draft.html or "",
    )


def _either(wanted: str | None, current: str) -> str:
    return current if wanted is None else wanted
