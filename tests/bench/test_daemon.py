"""The daemon as a process, asked from outside: latencies and sustained rates, each beside its target."""
