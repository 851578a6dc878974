"""What the benchmarks send to; each is a process of its own."""
