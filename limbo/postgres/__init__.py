"""Django's PostgreSQL backend, with what Limbo needs to be fast."""
