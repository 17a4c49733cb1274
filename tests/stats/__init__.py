"""Tests of core/stats."""
