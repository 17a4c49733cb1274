"""The demo workspace: drawn projects, simulated people."""
