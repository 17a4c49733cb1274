"""Commands that look after a workspace: resolve, stats, doctor."""

from __future__ import annotations

import shutil
import sys

import typer

from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import emit
from core.services.analytics.figures import stats as project_stats
from core.services.consensus.resolve import resolve
from core.services.doctor import examine


def resolve_(
    project: ProjectArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Derive every label of a project anew from what was said."""
    ws, me = opened(workspace)
    done = resolve(ws, me, project)
    states = ", ".join(f"{n:,} {s}" for s, n in done.states.items())
    emit(done, as_json, f"{done.items:,} items, {done.changed:,} labels changed: {states}.")


def stats(
    project: ProjectArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Print a project's figures, each with n and a 95 % interval."""
    ws, me = opened(workspace)
    doc = project_stats(ws, me, project)
    emit(doc, as_json, _stats_text(doc))


def _stats_text(doc: dict) -> str:
    lines = [f"{doc['items']:,} items, {doc['votes']:,} votes, {doc['final']:,} final labels"]
    whose = "The model" if doc.get("whose") == "model" else "People"
    lines.append(f"{whose} compared with {doc.get('against', 'final')} labels, by true class:")
    width = max((len(r["class"]) for r in doc["per_class"]), default=0)
    for row in doc["per_class"]:
        figure = (
            "not enough data"
            if row["accuracy"] is None
            else f"{row['accuracy']:.1%}  ({row['low']:.1%} to {row['high']:.1%})"
        )
        lines.append(f"  {row['class']:<{width}}  n = {row['n']:>6,}  {figure}")
    alpha = doc["agreement"]["alpha"]
    words = "not enough data" if alpha is None else f"{alpha:.3f}"
    lines.append(f"Krippendorff's alpha: {words}")
    return "\n".join(lines)


def doctor(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Check the workspace and this installation; exit with 1 where something needs mending."""
    ws, _ = opened(workspace)
    checks = examine(ws)
    width = min(100, shutil.get_terminal_size().columns)
    lines = [f"{'ok  ' if c.ok else 'FAIL'} {c.what}: {c.found}"[:width] for c in checks]
    emit({"checks": checks, "ok": all(c.ok for c in checks)}, as_json, "\n".join(lines))
    if not all(c.ok for c in checks):
        sys.stdout.flush()
        raise typer.Exit(1)
