"""Getting messages out: routing, transports, and what their answers mean."""
