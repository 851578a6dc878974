"""Telling users' systems: events posted to their endpoints, as Standard Webhooks has it."""
