"""Recorded posts counted once and judged by many rules: what would have fired when, and what would have been missed."""
