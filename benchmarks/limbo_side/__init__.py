"""What the benchmarks do to a Limbo; its processes run in Limbo's own environment."""
