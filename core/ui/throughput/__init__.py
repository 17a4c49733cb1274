"""The panels of the page *Throughput*."""
