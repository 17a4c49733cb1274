"""The grid: many tiles of one class at once, some of them known to be wrong."""
