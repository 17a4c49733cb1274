"""Commands about dataset versions: snapshot, diff, and export of a version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit, plain
from core.services.models.datasets import VersionView
from core.services.versions.differing import Difference, diff_versions
from core.services.versions.exporting import write_version
from core.services.versions.plans import made_plan
from core.services.versions.snapshot import snapshot as freeze_snapshot

SHOWN = 20
FAR_OFF = 0.1
"""From this share of the labels on, what is lost to training is pointed out."""


def snapshot(
    project: ProjectArgument,
    name: Annotated[str, typer.Option(help="Name of the version; v1, v2, … by default.")] = "",
    splits: Annotated[
        str,
        typer.Option(help="Shares, such as train=0.8,val=0.1,test=0.1; by use by default."),
    ] = "",
    group_by: Annotated[
        str, typer.Option(help="Metadata column whose values stay in one split.")
    ] = "",
    near: Annotated[bool, typer.Option(help="Keep look-alikes in one split.")] = True,
    leave_out: Annotated[
        bool, typer.Option(help="Leave held-out items out where their group is learnt from.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Freeze the final labels in force into a dataset version, with splits that never leak."""
    ws, me = opened(workspace)
    meter = Meter(quiet=as_json)
    plan = made_plan(splits, group_by, near, seed, leave_out)
    try:
        version = freeze_snapshot(ws, me, project, name, plan, meter.show)
    finally:
        meter.close()
    doc = {
        "version": version.name, "hash": version.hash, "items": version.n_items,
        "folder": version.folder, "splits": version.manifest.get("splits", {}),
        "was_there": version.was_there,
    }  # fmt: skip
    parts = ", ".join(f"{n:,} {s}" for s, n in version.splits.items())
    text = f"Version '{version.name}': {version.n_items:,} labels, {version.hash[:12]}."
    if version.was_there:
        text = f"Nothing new was frozen: the labels are those of '{version.name}'.\n{text}"
    emit(doc, as_json, "\n".join([f"{text} {parts}." if parts else text, *_uneven(version)]))


def _uneven(version: VersionView) -> list[str]:
    """Return what to do where groups with held-out items take much of what could be learnt from."""
    told = version.manifest.get("splits")
    held = int(told.get("held_back", 0)) if isinstance(told, dict) else 0
    if held <= FAR_OFF * version.n_items:
        return []
    return [
        f"  {held:,} labels that could be learnt from follow a held-out item of their group out of "
        "train; '--leave-out' leaves the held-out items out instead."
    ]


def diff(
    project: ProjectArgument,
    one: Annotated[str, typer.Argument(help="The older version.")],
    other: Annotated[str, typer.Argument(help="The newer version.")],
    by: Annotated[str, typer.Option(help="Metadata column to tell slices by.")] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what was added, removed and changed between two versions, and why."""
    ws, me = opened(workspace)
    meter = Meter(quiet=as_json)
    try:
        found = diff_versions(ws, me, project, one, other, by, meter.show)
    finally:
        meter.close()
    doc = plain(found)
    assert isinstance(doc, dict)  # a dataclass becomes an object
    emit({**doc, **found.kinds}, as_json, _told(found))


def _told(found: Difference) -> str:
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in found.kinds.items() if n) or "nothing differs"
    lines = [f"From '{found.one}' to '{found.other}': {kinds}; {found.same:,} the same."]
    lines += [f"  {n:,} × {cause}" for cause, n in found.causes.items()]
    for tally in (*found.classes, *found.slices):
        lines.append(
            f"  {tally.name or '(none)'}: {tally.before:,} → {tally.after:,} "
            f"(+{tally.added:,} −{tally.removed:,}, {tally.relabelled:,} relabelled)"
        )
    for c in found.changes[:SHOWN]:
        lines.append(f"{c.kind}: {c.name}: {c.before or '–'} → {c.after or '–'} ({c.cause})")
    if len(found.changes) > SHOWN:
        lines.append(f"And {len(found.changes) - SHOWN:,} more; '--json' lists each.")
    return "\n".join(lines)


def export_version(
    project: str, version: str, format: str, out: Path, workspace: Path | None, as_json: bool
) -> None:
    """Write a version in a format, with the notary's receipt beside it; exit 1 where it fails."""
    ws, me = opened(workspace)
    meter = Meter(quiet=as_json)
    try:
        made = write_version(ws, me, project, version, format, out, meter.show)
    finally:
        meter.close()
    doc = {
        "version": version, "format": format, "rows": made.n_items, "left_out": made.left_out,
        "files": made.n_files, "out": out, "receipt": made.receipt.as_dict(),
    }  # fmt: skip
    verdict = "passed" if made.receipt.passed else "FAILED"
    out_of_it = " and ".join(made.receipt.dropped)
    more = f"; left out: {out_of_it}" if out_of_it else ""
    lines = [f"Wrote {made.n_items:,} images of '{version}' to {out}. Receipt: {verdict}{more}."]
    lines += [f"  {'ok' if c.passed else 'WRONG'}: {c.sentence}" for c in made.receipt.checks]
    lines += [f"  not carried: {sentence}" for sentence in made.receipt.loss]
    emit(doc, as_json, "\n".join(lines))
    if not made.receipt.passed:
        raise typer.Exit(1)
