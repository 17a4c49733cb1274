"""Tiebreak: everything below the pages."""
