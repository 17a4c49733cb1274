"""The command about suspicious labels: issues."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.services.issues.finding import issues_of
from core.services.issues.values import Issue, IssuesView, Kind

SHOWN = 20
"""Rows of the list for people; the JSON document has all."""


def issues(
    project: ProjectArgument,
    kind: Annotated[
        list[Kind] | None, typer.Option("--kind", help="Only this kind; may be given again.")
    ] = None,
    question: Annotated[
        str | None, typer.Option(help="Only of the question of this title; all by default.")
    ] = None,
    label: Annotated[str, typer.Option(help="Only labels given this class.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List labels that are probably wrong and images that do not belong, the most suspicious first.

    Each with its reason. Needs no trained model: images are looked at on the way where that was not
    done yet. Nothing is changed; the page Suspicious labels sends items back to review.
    """
    ws, me = opened(workspace)
    meter = Meter(as_json)
    try:
        view = issues_of(
            ws, me, project, kinds=kind or (), question=question, label=label, limit=limit,
            progress=lambda p: meter.show(p.phase, p.done, p.total, p.seconds_left),
        )  # fmt: skip
    finally:
        meter.close()
    emit(_document(view), as_json, _text(view))


def _document(view: IssuesView) -> dict[str, object]:
    return {
        "issues": [_row(i) for i in view.issues],
        "n": view.n,
        "images": view.images,
        "total": view.total,
        "matching": view.matching,
        "questions": dict(view.questions),
        "kinds": {k.value: n for k, n in view.kinds.items()},
        "expected_wrong": view.expected,
        "called_right": view.answered,
        "probabilities": view.probabilities,
        "notes": view.notes,
    }


def _row(issue: Issue) -> dict[str, object]:
    return {
        "item": issue.item,
        "file": issue.file,
        "kind": issue.kind.value,
        "question": issue.question,
        "label": issue.label,
        "suggested": issue.suggested,
        "score": issue.score,
        "reason": issue.reason,
        "others": [{"item": i, "file": name} for i, name in issue.others],
        "box": issue.box or None,
        "state": issue.state.value,
    }


def _of(issue: Issue) -> str:
    return f"{issue.question}: {issue.kind.value}" if issue.question else issue.kind.value


def _text(view: IssuesView) -> str:
    lines = [
        f"{view.total:,} suspicions on {view.n:,} labelled items of {view.images:,}; "
        f"about {view.expected:,} labels are probably wrong."
    ]
    if view.probabilities:
        lines.append(view.probabilities)
    lines += view.notes
    lines += [f"{i.score:.2f}  {i.file}  ({_of(i)}) {i.reason}" for i in view.issues[:SHOWN]]
    if view.matching > SHOWN:
        lines.append(f"… and {view.matching - SHOWN:,} more; --json lists all.")
    return "\n".join(lines)
