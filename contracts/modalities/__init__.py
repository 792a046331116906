"""One file per modality: labels, limits, default specs and the reviewed triage texts."""
