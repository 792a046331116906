"""Fitting the checks of an input: modality head, feature distances, quality limits."""
