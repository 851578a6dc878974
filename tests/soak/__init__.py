"""The soak: a whole Limbo under load and random faults, judged by what its providers saw.

`make soak MINUTES=15`, or `python -m tests.soak`; see docs/how-to/test-faults.md. pytest does not
collect it.
"""
