"""The virality monitor: watches claims about an event spread, and tells the newsroom while it happens."""
