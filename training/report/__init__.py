"""The report of a run: plots as PNG and one self-contained HTML page."""
