"""Templates: kept by their owners, checked before they are compiled, rendered in a sandbox."""
