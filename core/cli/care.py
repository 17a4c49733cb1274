"""Commands that look after a workspace: resolve, stats, doctor."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.errors import InputError
from core.services.analytics.figures import stats as project_stats
from core.services.consensus.dry_run import DryRun
from core.services.consensus.dry_run import dry_run as try_out
from core.services.consensus.policy_files import read_policy
from core.services.consensus.resolve import resolve
from core.services.doctor import examine
from core.services.steering.rules import set_policy

PolicyOption = Annotated[
    Path | None,
    typer.Option("--policy", help="A policy document (JSON) to resolve by.", show_default=False),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would change and write nothing.")
]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why the policy is put in force; required with --policy.")
]


def resolve_(
    project: ProjectArgument,
    policy: PolicyOption = None,
    dry_run: DryRunOption = False,
    reason: ReasonOption = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Derive every label of a project anew from what was said; by another policy if one is given."""
    if policy is None and reason:
        raise typer.BadParameter("It says why a policy is put in force; name that with --policy.",
                                 param_hint="'--reason'")  # fmt: skip
    ws, me = opened(workspace)
    asked = None if policy is None else read_policy(policy)
    meter = Meter(quiet=as_json)

    def told(phase: str, done: int, total: int) -> None:
        meter.show(phase, done, total, None)

    try:
        if dry_run:
            would = try_out(ws, me, project, asked, told)
            emit(would, as_json, _would_text(would))
            return
        if asked is not None:
            if not reason.strip():
                raise InputError(
                    "A new policy needs a reason.", "Say why with --reason, or try --dry-run."
                )
            would = try_out(ws, me, project, asked, told)
            set_policy(ws, me, project, asked, reason)
            done = replace(resolve(ws, me, project, told), changed=would.changed)
        else:
            done = resolve(ws, me, project, told)
    finally:
        meter.close()
    states = ", ".join(f"{n:,} {s}" for s, n in done.states.items())
    emit(done, as_json, f"{done.items:,} items, {done.changed:,} labels changed: {states}.")


def _would_text(would: DryRun) -> str:
    lines = [
        f"{would.changed:,} of {would.items:,} items would change; nothing was written: "
        f"{would.labels_changed:,} another label, {would.reopened:,} reopened, "
        f"{would.settled:,} newly settled; {would.votes_wanted:,} votes still wanted."
    ]
    names = sorted({*would.before, *would.after})
    width = max(map(len, names), default=0)
    lines += [
        f"  {n:<{width}}  {would.before.get(n, 0):>8,} → {would.after.get(n, 0):,}" for n in names
    ]
    return "\n".join(lines)


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
