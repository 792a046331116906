"""Python client and command line over the HTTP API.

Knows the routes, `contracts.schemas` and `contracts.receipts`, and nothing else of ours.
"""
