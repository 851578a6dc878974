"""A Limbo whose wake-ups are lost, so that its brokers find messages by their poll alone."""
