"""Choosing the influence map of an image model and the checks that it must pass."""
