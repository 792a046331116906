"""From a published data set to a versioned model file: prepare, train, export, evaluate."""
