"""Benchmarks of consensus and agreement against their peers."""
