"""Limbo on one machine: what `make run` starts, and the tests' PostgreSQL."""
