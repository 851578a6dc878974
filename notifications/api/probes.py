"""What the log is spared."""

import logging

READY = "/ready"


class ProbeFilter(logging.Filter):
    """Lets no line pass about a probe that was answered "not ready": that is its answer's to say.

    Whoever starts Limbo, or restarts a worker, would see an error each second.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is about anything else."""
        request = getattr(record, "request", None)
        return getattr(request, "path", None) != READY
