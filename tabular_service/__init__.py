"""One process per tabular modality: JSON in, calibrated answer with exact contributions out."""
