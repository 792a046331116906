"""What computes: each backend takes a normalised batch and gives the same output."""
