"""A process that has imported all a server needs, and forks one for whoever asks on its input.

Each line asks for one: JSON of the environment, the arguments of ``streamlit`` and where it may
write. Each answer is the server's process number.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import sys
from collections.abc import Iterator

import core

COLD = ("core.cli", "core.learning", "core.store.migrations", "core.ui")
"""What a server does not import, or must import while it runs: components are declared to it."""


def main() -> None:
    """Import, then fork until the input ends."""
    for name in _wanted():
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a server ended
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _serve(asked["environment"], asked["arguments"], asked["log"])
        print(child, flush=True)


def _wanted() -> Iterator[str]:
    yield from ("streamlit.web.cli", "streamlit.web.bootstrap", "plotly.graph_objects")
    for found in pkgutil.walk_packages(core.__path__, "core."):
        if not found.name.startswith(COLD) and not found.name.endswith("__main__"):
            yield found.name


def _serve(environment: dict[str, str], arguments: list[str], log: str) -> None:
    from streamlit.web.cli import main as streamlit

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for theirs, ours in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(theirs, ours)
    try:
        streamlit(arguments, prog_name="streamlit")
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
