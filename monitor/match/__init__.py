"""Which post speaks of which event."""
