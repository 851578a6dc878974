"""What a dead worker's journal says of its hand-offs."""

from dataclasses import dataclass, field
from uuid import UUID

from notifications.delivery.handoff import HandoffResult, Verdict
from notifications.delivery.journal_file import Header, Record, boot_id, read_file
from notifications.delivery.reading import Reading


@dataclass(slots=True)
class Testimony:
    """Everything that one journal says, and whether it is the whole truth."""

    journal_id: UUID
    cluster: str = ""
    """The cluster whose worker wrote it; empty if that was before the machine's last start."""
    token: UUID | None = None
    """The lease of its last batch."""
    is_whole: bool = False
    """Nothing that its worker wrote can be missing."""
    planned: set[UUID] = field(default_factory=set)
    begun: set[UUID] = field(default_factory=set)
    ended: dict[UUID, HandoffResult] = field(default_factory=dict)
    ended_last: set[UUID] = field(default_factory=set)
    """Those of its last batch."""

    @property
    def named(self) -> set[UUID]:
        """The hand-offs that it says anything of."""
        return self.planned.union(self.begun, self.ended)

    def excludes(self, handoff_id: UUID) -> bool:
        """Whether the hand-off was certainly not begun: only a whole file can tell."""
        waited = self.planned - self.begun - self.ended.keys()
        return self.is_whole and handoff_id in waited

    def verdict(self, handoff_id: UUID, delivery_id: UUID) -> Verdict | None:
        """What the provider answered, as far as its worker lived to note it."""
        result = self.ended.get(handoff_id)
        return result.verdicts.get(str(delivery_id)) if result else None


def read_testimony(journal_id: UUID, data: bytes) -> Testimony:
    """Read the file that is named after `journal_id`; whatever the bytes are, it does not raise.

    A file that is not this journal's, or that has no header, says nothing.
    """
    header, records, is_whole = read_file(data)
    testimony = Testimony(journal_id)
    if header is None or header.id != journal_id:
        return testimony
    understood = all(_hear(testimony, record) for record in records)
    if _is_of_this_boot(header):
        testimony.cluster = header.cluster
        testimony.is_whole = is_whole and understood
    return testimony


def _is_of_this_boot(header: Header) -> bool:
    # what was written before a crash of the machine may not have reached the disk
    return header.boot_id == boot_id()


def _hear(testimony: Testimony, record: Record) -> bool:
    """Take a record in; False for one that this version does not know."""
    try:
        match record:
            case ["batch", token]:
                testimony.token = UUID(token)
                testimony.ended_last.clear()
            case ["plan", ids]:
                testimony.planned.update(UUID(handoff_id) for handoff_id in ids)
            case ["begun", handoff_id]:
                testimony.begun.add(UUID(handoff_id))
                # a repeat: how its last try ended is recorded
                testimony.ended.pop(UUID(handoff_id), None)
            case ["ended", handoff_id, packed]:
                testimony.ended[UUID(handoff_id)] = _unpacked(packed)
                testimony.ended_last.add(UUID(handoff_id))
            case _:
                return False
    except (ValueError, TypeError, AttributeError):
        return False
    return True


def _unpacked(packed: Record) -> HandoffResult:
    verdicts, provider_message_id, retry_after = packed
    return HandoffResult(
        {
            str(UUID(delivery_id)): Verdict(Reading(reading), code, answer)
            for delivery_id, (reading, code, answer) in verdicts.items()
        },
        provider_message_id,
        retry_after,
    )
