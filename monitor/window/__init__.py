"""Event-time counts per event, narrative and tag."""
