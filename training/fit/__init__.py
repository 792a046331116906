"""Fitting one network: head, step, optimiser, precision, folds, and what a run leaves behind."""
