"""Tests of core.analytics."""
