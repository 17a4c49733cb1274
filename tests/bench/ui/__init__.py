"""Benchmarks of what people feel, in a real Chromium against a real server."""
