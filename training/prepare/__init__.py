"""Published data sets to manifests: one file per modality, `prepare(data, out)` in each."""
