"""Health, metrics, JSON API."""
