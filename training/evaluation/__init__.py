"""Scoring labelled inputs by the code that serves, and the files that come of it."""
