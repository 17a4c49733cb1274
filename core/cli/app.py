"""The command line's frame: commands, errors as sentences, exit codes 0, 1 and 2."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from core.cli.output import visible
from core.errors import TiebreakError

COMMANDS = {
    "demo": "run:demo",
    "serve": "run:serve",
    "init": "data:init",
    "import": "data:import_",
    "export": "data:export",
    "snapshot": "versions:snapshot",
    "diff": "versions:diff",
    "train": "models:train",
    "promote": "models:promote",
    "prelabel": "models:prelabel",
    "simulate": "loop:simulate",
    "certify": "loop:certify",
    "audit": "loop:audit",
    "resolve": "care:resolve_",
    "consensus": "votes:consensus",
    "agreement": "votes:agreement",
    "issues": "issues:issues",
    "stats": "care:stats",
    "slices": "slices:slices",
    "bias": "bias:bias",
    "report": "report:report",
    "doctor": "care:doctor",
    "user": "people:app",
}
"""Where each command is made: module of this room, and its function or its group of commands."""


class Commands(TyperGroup):
    """The commands, each loaded when it is asked for: all of them together take a second or two."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order they are listed."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, None where there is no such one."""
        # Of a mistyped one typer tells what is like it among those that are loaded.
        for name in [cmd_name] if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.add_command(_loaded(name), name)
        return self.commands.get(cmd_name)


def _loaded(name: str) -> Any:
    module, _, made = COMMANDS[name].partition(":")
    found = getattr(import_module(f"core.cli.{module}"), made)
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


app = typer.Typer(
    name="tiebreak",
    cls=Commands,
    help="Review and QA of image labels: model proposes, people correct, votes settle.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _all() -> None:
    """Keep the group a group: typer takes one without commands of its own for a mistake."""


def main() -> None:
    """Run a command; a failure prints one sentence and exits with 1, wrong usage with 2."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except TiebreakError as error:
        sys.stderr.write(f"error {error.code}: {visible(str(error))}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("stopped: what was done so far is kept.\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # nothing a person sees may be a traceback
        logging.getLogger("tiebreak").debug("unexpected", exc_info=True)
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        sys.stderr.write(
            f"error UNEXPECTED: {type(error).__name__}: {words}. This is a fault of Tiebreak; "
            "please report it with what you typed.\n"
        )
        sys.exit(1)
