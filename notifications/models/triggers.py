"""What the database itself refuses: impossible steps, and changes to history."""

import pgtrigger

from notifications.models.state import INITIAL, REQUEUEABLE, TRANSITIONS, State

# check_violation: Django raises IntegrityError for it
_REFUSE = "RAISE EXCEPTION USING ERRCODE = '23514', MESSAGE ="


def _quoted(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


# Of triggers for each row, those are cheapest that have a condition and come after the change: no
# function is called where the condition does not hold, and no row is locked once more before it.
# What they raise undoes the statement all the same.


def first_state() -> pgtrigger.Trigger:
    """The trigger that refuses a delivery that begins in no initial state, or as a repeat."""
    return pgtrigger.Trigger(
        name="first_state",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Condition(
            f"((NEW.generation = 1 AND NEW.state IN ({_quoted(INITIAL)})) IS NOT TRUE)"
        ),
        func=f"""
            {_REFUSE} format('a delivery cannot begin as %s in generation %s',
                NEW.state, NEW.generation);
        """,
    )


def state_machine() -> pgtrigger.Trigger:
    """The trigger that holds a delivery to the state table.

    It checks each step, and that `generation` grows by one on a requeue and never otherwise
    (pgtrigger's ready-made FSM does not check that).
    """
    steps = " ".join(
        f"WHEN '{before}' THEN NEW.state IN ({_quoted(targets)})"
        for before, targets in TRANSITIONS.items()
    )
    return pgtrigger.Trigger(
        name="state_machine",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("state", "generation"),
        condition=pgtrigger.Condition(f"""
            ((CASE NEW.generation - OLD.generation
                WHEN 0 THEN NEW.state = OLD.state OR CASE OLD.state {steps} END
                WHEN 1 THEN NEW.state = '{State.PENDING}' AND OLD.state IN ({_quoted(REQUEUEABLE)})
            END) IS NOT TRUE)
        """),
        func=f"""
            {_REFUSE} format('a delivery cannot go from %s (generation %s) to %s (generation %s)',
                OLD.state, OLD.generation, NEW.state, NEW.generation);
        """,
    )


def append_only() -> pgtrigger.Trigger:
    """The trigger that refuses to change or remove a line of history."""
    return pgtrigger.Trigger(
        name="append_only",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=f"{_REFUSE} format('%s is append-only', TG_TABLE_NAME);",
    )


def never_emptied() -> pgtrigger.Trigger:
    """The trigger that refuses to empty a table at once, which `append_only` would not see."""
    return pgtrigger.Trigger(
        name="never_emptied",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func=f"{_REFUSE} format('%s is append-only', TG_TABLE_NAME);",
    )


def permanent() -> pgtrigger.Trigger:
    """The trigger that refuses to remove a row, or to change its id.

    It stands in for the foreign keys of what is written with each submission (content, deliveries)
    and each hand-off (events, hand-offs and attempts). Those are inserted by statements that take
    the ids from rows that they store themselves, or have locked, or from providers, which always
    stay; what a foreign key would add is that the row stays, and that this trigger says for
    nothing, where a foreign key costs a look-up and a lock for each row: a slow one, if it was
    planned while a table was empty.
    """
    return pgtrigger.Trigger(
        name="permanent",
        when=pgtrigger.After,
        operation=pgtrigger.Delete | pgtrigger.UpdateOf("id"),
        func=f"{_REFUSE} format('%s is never removed from', TG_TABLE_NAME);",
    )


EVENTS_A_ROW = 200
"""As many ids fit a row of the queue without being stored apart from it."""


def queue_events() -> pgtrigger.Trigger:
    """The trigger that queues new events for their positions, whoever inserted them.

    In as few rows as can be: in a row, and from row to row, in the order of their ids.
    """
    return pgtrigger.Trigger(
        name="queue_events",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="added"),
        func=f"""
            INSERT INTO notifications_eventqueue (event_ids)
            SELECT ids[first:first + {EVENTS_A_ROW - 1}]
            FROM (SELECT array_agg(id ORDER BY id) AS ids FROM added) all_added,
                generate_series(1, cardinality(ids), {EVENTS_A_ROW}) first
            ORDER BY first;
            RETURN NULL;
        """,  # noqa: S608 - made of constants
    )
