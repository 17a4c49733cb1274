"""The panels of the page *Bias*."""
