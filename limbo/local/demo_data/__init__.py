"""A month of a busy gateway, made up: see `make demo-data`.

Nothing in it can reach anybody: every address is at a domain that is reserved for examples.
"""
