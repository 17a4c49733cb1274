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
        "labelled": view.labelled,
        "first_question": view.first,
        "expected_wrong": view.expected,
        "expected_wrong_low": view.wrong.low,
        "expected_wrong_high": view.wrong.high,
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


def _of(issue: Issue, view: IssuesView) -> str:
    """Return what kind it is, and of which question where there are several."""
    if not issue.kind.of_label or not _several(view):
        return issue.kind.value
    return f"{issue.question or view.first}: {issue.kind.value}"


def _several(view: IssuesView) -> bool:
    return any(view.questions)


def _text(view: IssuesView) -> str:
    lines = [
        f"{view.total:,} suspicions{_by_question(view)} on {view.labelled:,} labelled items of "
        f"{view.images:,}; {_wrong(view)}."
    ]
    if view.probabilities:
        lines.append(view.probabilities)
    lines += view.notes
    shown = view.issues[:SHOWN]
    lines += [f"{i.score:.2f}  {i.file}  ({_of(i, view)}) {i.reason}" for i in shown]
    if view.matching > len(shown):
        lines.append(
            f"… and {view.matching - len(shown):,} more; --json without --limit lists all."
        )
    return "\n".join(lines)


def _by_question(view: IssuesView) -> str:
    """Return how many of each question, where there are several; nothing for one."""
    if not _several(view):
        return ""
    each = sorted(view.questions.items())
    return f" ({', '.join(f'{n:,} on {title or view.first}' for title, n in each)})"


def _wrong(view: IssuesView) -> str:
    """Return how many labels are taken to be wrong, with the interval of the count."""
    e = view.wrong
    of = f" of {view.first}" if _several(view) else ""
    if e.low is None or e.high is None:
        return f"about {view.expected:,} labels{of} are probably wrong"
    return (
        f"about {view.expected:,} labels{of} are probably wrong (95 % {e.low:,.0f} to {e.high:,.0f}, "
        "chance alone: where the model errs is not in it)"
    )
