"""One file per group of /v1 routes; each translates HTTP to one call of the use case."""
