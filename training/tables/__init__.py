"""The two tabular models: heart risk and symptoms, their figures, their cards."""
