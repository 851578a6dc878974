"""KnownTerm: each thing that any of a user's messages can be found by, once."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Substr

WORD_PREFIX = "word:"
"""What the terms begin with of which a part is enough to find them."""


class KnownTerm(models.Model):
    """That a user has messages with a term; which ones, `MessageTerm` tells.

    So a part of a word is looked for among the words there are, not among all messages, and a term
    among everybody's messages is looked for at the users who have it. Filled by the same follower.
    """

    pk = models.CompositePrimaryKey("term", "owner_id")
    # compared by its characters alone, so that the key also finds what a term begins with
    term = models.TextField(db_collation="C")
    # cannot go away while there is a message; a constraint would only cost
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        """Indexes name the query that needs them."""

        indexes = [
            # history.finding: the words with a part. Of all terms, though only words are asked for:
            # with a condition here the query had one on `term`, and the planner might take the key
            GinIndex(
                OpClass(Substr("term", len(WORD_PREFIX) + 1), name="gin_trgm_ops"),
                name="knownterm_part",
                # every search reads what is not sorted in yet: kilobytes, not the usual four MB
                gin_pending_list_limit=512,
            ),
        ]

    def __str__(self) -> str:
        return self.term
