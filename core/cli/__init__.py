"""``tiebreak``: the services from a terminal. Each command is thin: read, call one service, print."""

from core.cli.app import main

__all__ = ["main"]
