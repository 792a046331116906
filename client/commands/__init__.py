"""One file per command; each reads its options, asks `MediFlow`, and prints."""
