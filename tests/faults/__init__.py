"""The fault matrix: each row makes a fault happen to real processes, and sinks tell what came."""
