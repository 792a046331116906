"""One answer as one page to file: composed once, printed as HTML or PDF, never kept."""
