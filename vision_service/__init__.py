"""The service of the modalities that are pictures: one checkpoint, one process."""
