"""What survives: archive, resume points, state rows, outbox."""
