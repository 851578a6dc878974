"""How fast staff's screens are on a million messages: see `make bench-admin`."""
