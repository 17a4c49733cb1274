"""Threads on items, and under which name somebody speaks."""
