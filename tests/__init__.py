"""Tests, laid out as core/ is."""
