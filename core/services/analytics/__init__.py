"""Figures: how right, how fast, where worse than elsewhere; the first page's too."""
