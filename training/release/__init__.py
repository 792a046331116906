"""What a release does before it writes a file: assess, openings, provenance, golden cases, card."""
