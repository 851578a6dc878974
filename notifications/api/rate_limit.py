"""The headers by which a client keeps within its user's limits.

As the IETF's draft-ietf-httpapi-ratelimit-headers-10 has them: structured fields (RFC 9651), in
which `q` is a limit's quota, `w` its window in seconds, `r` what is left, and `t` the seconds until
all of it is there again.
"""

from collections.abc import Mapping, Sequence

from notifications.intake.allowance import REQUESTS, Bucket, LimitReachedError
from notifications.intake.errors import Fault, ImpossibleRequestError


def limit_headers(buckets: Sequence[Bucket]) -> Mapping[str, str]:
    """`RateLimit-Policy` and `RateLimit`; none for a user without limits."""
    if not buckets:
        return {}
    policies = [f'"{bucket.name}";q={bucket.size};w={bucket.window}' for bucket in buckets]
    standings = [f'"{bucket.name}";r={bucket.whole_left};t={bucket.full_in}' for bucket in buckets]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(standings)}


def told_of(error: LimitReachedError) -> str:
    """What a client is told that goes beyond a limit."""
    size = error.reached.size
    if error.reached.name == REQUESTS:
        return f"You may make {size} submitting requests a second."
    return f"You may submit {size} messages a day, of which {error.reached.whole_left} are left."


def never_possible(error: LimitReachedError) -> ImpossibleRequestError:
    """The refusal of what no waiting makes possible: more messages than a whole day's."""
    detail = f"You may submit {error.reached.size} messages a day; these are {error.needed}."
    return ImpossibleRequestError(Fault("/messages", detail, "quota"))
