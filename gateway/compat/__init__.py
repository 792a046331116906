"""Routes of earlier clients: thin translations over the use case of /v1, every difference named.

The differences are the DEV ids of `docs/compatibility.md`.
"""
