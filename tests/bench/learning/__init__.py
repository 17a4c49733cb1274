"""Benchmarks of learning: the certificate, the loop, selection, embedding, training.

A part is a module here with ``run(folder: Path) -> dict[str, object]``; its first docstring line says what.
"""
