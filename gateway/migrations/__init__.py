"""Alembic environment and versions of the gateway's database."""
