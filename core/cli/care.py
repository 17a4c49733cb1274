"""Commands that look after a workspace: resolve, stats, doctor."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.figures import percent
from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.cli.stats_text import quality_lines
from core.errors import InputError
from core.services.analytics.figures import stats as project_stats
from core.services.consensus.dry_run import DryRun
from core.services.consensus.dry_run import dry_run as try_out
from core.services.consensus.resolve import Resolved, resolve
from core.services.doctor import examine
from core.services.steering.given_policy import GivenPolicy, given_policy
from core.services.steering.rules import set_policy

PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        help="Policy file (JSON; docs/consensus.md has its fields); what it leaves out stays as in force.",
        show_default=False,
    ),
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
    given = None if policy is None else given_policy(ws, me, project, policy)
    asked = None if given is None else given.policy
    meter = Meter(quiet=as_json)

    def told(phase: str, done: int, total: int) -> None:
        meter.show(phase, done, total, None)

    try:
        if dry_run:
            would = try_out(ws, me, project, asked, told)
            emit(_doc(would, given), as_json, _text(_would_text(would), given))
            return
        if asked is not None:
            if not reason.strip():
                raise InputError(
                    "A new policy needs a reason.", "Say why with --reason, or try --dry-run."
                )
            would = try_out(ws, me, project, asked, told)
            if given is not None and given.changes:
                set_policy(ws, me, project, asked, reason)
            done = replace(resolve(ws, me, project, told), changed=would.changed)
        else:
            done = resolve(ws, me, project, told)
    finally:
        meter.close()
    states = ", ".join(f"{n:,} {s}" for s, n in done.states.items())
    said = f"{done.items:,} items, {done.changed:,} labels changed: {states}."
    emit(_doc(done, given), as_json, _text(said, given))


def _doc(found: DryRun | Resolved, given: GivenPolicy | None) -> dict[str, Any]:
    """Return what was found, with the policy it was found under where a file gave one."""
    if given is None:
        return asdict(found)
    told = {
        "document": asdict(given.policy), "fields": given.fields, "kept_from_version": given.version,
        "changes": given.changes, "words": given.words, "notes": given.notes,
    }  # fmt: skip
    return {**asdict(found), "policy": told}


def _text(found: str, given: GivenPolicy | None) -> str:
    return found if given is None else f"{_given_text(given)}\n{found}"


def _given_text(given: GivenPolicy) -> str:
    """Return which fields the file gave, what that changes, and the policy it makes."""
    kept = f"as in the policy in force (version {given.version})"
    lines = [
        f"Taken from the file: {', '.join(given.fields)}; all other fields {kept}."
        if given.fields
        else f"The file names no field: all stay {kept}."
    ]
    lines += [f"  {change}" for change in given.changes]
    if not given.changes:
        lines.append("That changes nothing: the policy in force stays, without a new version.")
    return "\n".join([*lines, f"The policy: {given.words}", *given.notes])


def _would_text(would: DryRun) -> str:
    lines = [
        f"{would.changed:,} of {would.items:,} items would change; nothing was written: "
        f"{would.labels_changed:,} another label, {would.reopened:,} reopened for votes, "
        f"{would.new_disputes:,} newly before a lead, {would.settled:,} newly settled; "
        f"{would.votes_wanted:,} votes still wanted."
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
    lines.append(
        f"{whose} compared with {doc.get('against', 'final')} labels, by true class (recall):"
    )
    width = max((len(r["class"]) for r in doc["per_class"]), default=0)
    for row in doc["per_class"]:
        figure = (
            "not enough data"
            if row["accuracy"] is None
            else f"{percent(row['accuracy'])}  ({percent(row['low'])} to {percent(row['high'])})"
        )
        lines.append(f"  {row['class']:<{width}}  n = {row['n']:>6,}  {figure}")
    agreed = doc["agreement"]
    alpha = agreed["alpha"]
    words = f"not enough data (n = {agreed.get('n', 0):,})"
    if alpha is not None:
        ends = "" if agreed.get("low") is None else f"{agreed['low']:.3f} to {agreed['high']:.3f}, "
        words = f"{alpha:.3f} ({ends}n = {agreed['n']:,} items)"
    lines.append(f"Krippendorff's alpha: {words}")
    return "\n".join([*lines, *quality_lines(doc)])


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
