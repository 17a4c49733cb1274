"""The panels of the page *Quality*."""
