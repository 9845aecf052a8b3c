"""Alembic's folder: `env.py` runs a migration on the connection it is handed, `versions/` holds them."""
