"""Benchmarks of analytics: cards, raw scans, catching up, and what else is looked at there."""
