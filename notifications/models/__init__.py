"""What is stored: one module per word."""

from notifications.models.api_token import ApiToken, Scope
from notifications.models.attempt import Attempt
from notifications.models.bulk_action import BulkAction, BulkTarget, TargetOutcome
from notifications.models.content import Attachment, Content
from notifications.models.delivery import Delivery, RecipientKind
from notifications.models.event import Event, EventPosition, EventQueue
from notifications.models.fair_share import FairShare, Priority, QueueClock
from notifications.models.follower import Follower
from notifications.models.handoff import Handoff, Outcome
from notifications.models.heartbeat import Heartbeat
from notifications.models.idempotency_key import IdempotencyKey
from notifications.models.known_term import KnownTerm
from notifications.models.message import Message, OnUncertain
from notifications.models.message_term import MessageTerm
from notifications.models.provider import Provider
from notifications.models.request_log import RequestLog
from notifications.models.role import Role, RoleKey
from notifications.models.roll_up import RecentRollUp, RollUp
from notifications.models.sending_limit import SendingLimit
from notifications.models.shared_link import SharedLink
from notifications.models.staff_action import StaffAction
from notifications.models.state import State
from notifications.models.suppression import Suppression, SuppressionReason
from notifications.models.template import Template, TemplateVersion
from notifications.models.user import User
from notifications.models.webhook import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookState,
)

__all__ = [
    "ApiToken",
    "Attachment",
    "Attempt",
    "BulkAction",
    "BulkTarget",
    "Content",
    "Delivery",
    "Event",
    "EventPosition",
    "EventQueue",
    "FairShare",
    "Follower",
    "Handoff",
    "Heartbeat",
    "IdempotencyKey",
    "KnownTerm",
    "Message",
    "MessageTerm",
    "OnUncertain",
    "Outcome",
    "Priority",
    "Provider",
    "QueueClock",
    "RecentRollUp",
    "RecipientKind",
    "RequestLog",
    "Role",
    "RoleKey",
    "RollUp",
    "Scope",
    "SendingLimit",
    "SharedLink",
    "StaffAction",
    "State",
    "Suppression",
    "SuppressionReason",
    "TargetOutcome",
    "Template",
    "TemplateVersion",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookState",
]
