"""Votes to labels: pure functions over values and arrays."""
