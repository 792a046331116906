"""Machinery that the FastAPI apps share. Knows no model framework, no picture, no modality."""
