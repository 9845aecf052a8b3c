"""Findings → alerts (policy, pure) → the newsroom's chat (outbox and receivers)."""
