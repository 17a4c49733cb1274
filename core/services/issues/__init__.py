"""Suspicious labels and images: finding them, sending them back to review, saying that they are right."""
