"""A template filter for what passkeys need in the browser."""

import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """The value in JSON, for an attribute that a script reads: inline scripts are forbidden."""
    return json.dumps(value, cls=DjangoJSONEncoder)
