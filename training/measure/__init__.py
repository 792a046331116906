"""Measuring scored cases: figures with intervals, baselines, thresholds, calibration, subgroups."""
