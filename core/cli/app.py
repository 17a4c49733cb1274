"""The command line's frame: commands, errors as sentences, exit codes 0, 1 and 2."""

from __future__ import annotations

import logging
import sys

import typer

from core.cli import (
    bias,
    care,
    data,
    issues,
    loop,
    models,
    people,
    report,
    run,
    slices,
    versions,
    votes,
)
from core.cli.output import visible
from core.errors import TiebreakError

app = typer.Typer(
    name="tiebreak",
    help="Review and QA of image labels: model proposes, people correct, votes settle.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(run.demo)
app.command("serve")(run.serve)
app.command("init")(data.init)
app.command("import")(data.import_)
app.command("export")(data.export)
app.command("snapshot")(versions.snapshot)
app.command("diff")(versions.diff)
app.command("train")(models.train)
app.command("promote")(models.promote)
app.command("prelabel")(models.prelabel)
app.command("simulate")(loop.simulate)
app.command("certify")(loop.certify)
app.command("audit")(loop.audit)
app.command("resolve")(care.resolve_)
app.command("consensus")(votes.consensus)
app.command("agreement")(votes.agreement)
app.command("issues")(issues.issues)
app.command("stats")(care.stats)
app.command("slices")(slices.slices)
app.command("bias")(bias.bias)
app.command("report")(report.report)
app.command("doctor")(care.doctor)
app.add_typer(people.app, name="user")


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
