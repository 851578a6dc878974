"""The one door: validate, deduplicate, limit, store."""
