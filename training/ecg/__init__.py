"""ECG records and varied pages for training, and the 1-D yardstick of the page model."""
