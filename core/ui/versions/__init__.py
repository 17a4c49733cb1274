"""The panels about dataset versions, on the page *Datasets*."""
