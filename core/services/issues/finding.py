"""Looking for everything suspicious in a project, and showing what was found: one view for page and terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from core.access import Action, Actor, Resource, can
from core.labels.state import LABELLED, ItemState
from core.learning import Progress
from core.services.issues.answers import called_right
from core.services.issues.doubts import Doubts, doubts_of
from core.services.issues.drawn import Said, of_regions, said_of
from core.services.issues.embedded import OnProgress, embeddings_of, newest_run
from core.services.issues.kept import keep, kept
from core.services.issues.material import Looked, looked_at, state_of
from core.services.issues.pictures import of_pictures
from core.services.issues.values import Finding, Findings, Issue, IssuesView, Kind
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import item_state, items

_CHUNK = 500
NO_EMBEDDINGS = (
    "Nothing could be said of classes and look-alikes: the images have no embeddings yet. Train a model, or "
    "look at the images now."
)


def no_progress(_: Progress) -> None:
    """Hear how far the work is, and do nothing with it."""


def issues_of(
    ws: Workspace,
    actor: Actor,
    slug: str,
    *,
    make: bool = True,
    kinds: Sequence[Kind] = (),
    question: str | None = None,
    label: str = "",
    limit: int | None = None,
    progress: OnProgress = no_progress,
) -> IssuesView:
    """Return what is suspicious in a project, the most suspicious first.

    What was found last is shown again while labels, images and models are as they were.

    Args:
        ws: The workspace.
        actor: Who may see figures.
        slug: The project.
        make: Whether images are embedded where that was not done yet.
        kinds: Only of these kinds; none for all.
        question: Only of this question, by its title, "" for the first; None for all.
        label: Only labels given this class.
        limit: At most so many.
        progress: Hears how far the work is.

    Raises:
        NotFound: There is no such project for the actor.
        Forbidden: The actor may not see figures here.
        TiebreakError: Embedding failed; see `vectors_of`.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES)
        state = state_of(connection, project)
    found = kept(ws, project)
    if found is None or found.state != state or (make and NO_EMBEDDINGS in found.notes):
        found = _find(ws, project, make, progress)
        keep(ws, project, found)
    return _view(ws, actor, project, found, Wanted(kinds, question, label), limit)


def known_issues(
    ws: Workspace,
    actor: Actor,
    slug: str,
    *,
    kinds: Sequence[Kind] = (),
    question: str | None = None,
    label: str = "",
    limit: int | None = None,
) -> IssuesView | None:
    """Return what was found last, as far as it still stands; None before anything was looked for.

    Raises:
        NotFound: There is no such project for the actor.
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES)
    found = kept(ws, project)
    if found is None:
        return None
    return _view(ws, actor, project, found, Wanted(kinds, question, label), limit)


def images_of(ws: Workspace, actor: Actor, slug: str, ids: Sequence[int]) -> dict[int, str]:
    """Return the path of each item's picture.

    Raises:
        NotFound: There is no such project for the actor.
        Forbidden: The actor may not see figures here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_FIGURES, counted=False)
        rows = connection.execute(
            select(items.c.id, items.c.content_hash).where(
                items.c.project_id == project.id, items.c.id.in_(sorted(set(ids)))
            )
        )
        return {r.id: image_path(r.id, r.content_hash) for r in rows}


# --- looking ------------------------------------------------------------------------------------


def _find(ws: Workspace, project: ProjectView, make: bool, progress: OnProgress) -> Findings:
    with ws.store.read() as connection:
        state = state_of(connection, project)
        looked = looked_at(connection, project)
        run = newest_run(connection, ws, project)
        said = said_of(connection, ws, project) if project.task.draws else None
    found, notes, made, expected = _of_labels(ws, project, looked, run, said, make, progress)
    labelled = sum(i.answer is not None for i in looked)
    if looked and not labelled:
        notes.insert(0, "No item has a label in force yet: there is no label to doubt.")
    order = tuple(sorted(found, key=Finding.rank))
    return Findings(
        order, labelled, len(looked), expected, " ".join(made), tuple(dict.fromkeys(notes)),
        state, ws.clock(),
    )  # fmt: skip


def _of_labels(
    ws: Workspace,
    project: ProjectView,
    looked: list[Looked],
    run: object,
    said: Said | None,
    make: bool,
    progress: OnProgress,
) -> tuple[list[Finding], list[str], list[str], int]:
    found, notes, made, expected = [], [], [], 0
    if said is not None:
        drawn = of_regions(looked, said)
        found, notes, expected = list(drawn.found), list(drawn.notes), drawn.expected
        made = [drawn.made] if drawn.made else []
    at_hand = embeddings_of(ws, project, looked, run, make, progress)  # type: ignore[arg-type]
    if at_hand is None:
        return found, notes + ([NO_EMBEDDINGS] if looked else []), made, expected
    notes += at_hand.notes
    progress(Progress("judging the labels", 0, 0))
    told = [
        doubts_of(q, looked, at_hand, q is project.schema.main)
        for q in project.schema.item_questions
        if any(i.answer is not None and i.answer.said(q.key) is not None for i in looked)
    ]
    found += [f for one in told for f in one.found]
    notes += [n for one in told for n in one.notes]
    made += list(dict.fromkeys(one.made for one in told if one.made))[:1]
    if told and not project.task.draws:
        expected = told[0].expected
    pictures, more = of_pictures(
        looked, at_hand, _words(project, looked), _score(told, looked),
        lambda done, total: progress(Progress("holding images against each other", done, total)),
    )  # fmt: skip
    return found + pictures, notes + more, made, expected


def _words(project: ProjectView, looked: list[Looked]) -> list[str | None]:
    """Return each item's answer to the first question in words; nothing of regions, which seldom agree."""
    main = project.schema.main
    if project.task.draws:
        return [None] * len(looked)
    said = [i.answer.said(main.key) if i.answer is not None else None for i in looked]
    return [", ".join(s) or "none" if isinstance(s, tuple) else s for s in said]


def _score(told: Sequence[Doubts], looked: list[Looked]) -> np.ndarray:
    return told[0].score if told else np.full(len(looked), np.nan)


# --- showing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings are asked for: their kinds (none for all), their question, the class given."""

    kinds: Sequence[Kind]
    question: str | None
    label: str

    def of_question(self, f: Finding) -> bool:
        """Return whether a finding is of the question asked for."""
        return self.question is None or f.question == self.question

    def of_kind(self, f: Finding) -> bool:
        """Return whether a finding is of a kind asked for."""
        return not self.kinds or f.kind in self.kinds

    def of_class(self, f: Finding) -> bool:
        """Return whether a finding is on the class asked for."""
        return not self.label or f.label == self.label


def _view(
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    found: Findings,
    wanted: Wanted,
    limit: int | None,
) -> IssuesView:
    with ws.store.read() as connection:
        stale = found.state != state_of(connection, project)
        here = _in_force(connection, found)
        right = called_right(connection, project)
        labelled = _labelled(connection, project)
        standing = [f for f in found.found if _stands(f, here)]
        asked = [f for f in standing if (f.item_id, f.kind, f.final_seq) not in right]
        mine = [f for f in asked if wanted.of_question(f)]
        chosen = [f for f in mine if wanted.of_kind(f) and wanted.of_class(f)]
        issues = _issues(connection, project, chosen[:limit], here)
    return IssuesView(
        tuple(issues), len(asked), len(chosen), Counter(f.question for f in asked),
        Counter(f.kind for f in mine if wanted.of_class(f)),
        Counter(f.label for f in mine if f.label and wanted.of_kind(f)),
        len(standing) - len(asked), found.n,
        found.images, found.expected, found.probabilities, found.notes, found.at, stale,
        can(actor, Action.ADJUDICATE, Resource(project.id)), labelled, project.schema.main.title,
    )  # fmt: skip


def _labelled(connection: Connection, project: ProjectView) -> int:
    """Return how many items have a label in force now."""
    return connection.execute(
        select(func.count())
        .select_from(item_state.join(items, items.c.id == item_state.c.item_id))
        .where(
            items.c.project_id == project.id,
            item_state.c.state.in_([s.value for s in LABELLED]),
        )
    ).scalar_one()


Here = dict[int, tuple[int, ItemState, str, tuple[int, int]]]


def _in_force(connection: Connection, found: Findings) -> Here:
    """Return the final label, state, content hash and size of every item concerned."""
    ids = sorted({f.item_id for f in found.found})
    here: Here = {}
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(
                items.c.id,
                items.c.content_hash,
                items.c.width,
                items.c.height,
                item_state.c.state,
                item_state.c.final_seq,
            )
            .join(item_state, item_state.c.item_id == items.c.id)
            .where(items.c.id.in_(ids[start : start + _CHUNK]))
        )
        for r in rows:
            state = ItemState(r.state)
            seq = int(r.final_seq or 0) if state.has_label else 0
            here[r.id] = (seq, state, r.content_hash, (r.width, r.height))
    return here


def _stands(finding: Finding, here: Here) -> bool:
    """Return whether the item still has the label the finding was about."""
    return finding.item_id in here and here[finding.item_id][0] == finding.final_seq


def _issues(
    connection: Connection, project: ProjectView, found: Sequence[Finding], here: Here
) -> list[Issue]:
    ids = sorted({i for f in found for i in (f.item_id, *f.others)})
    names: dict[int, list[str]] = {}
    for start in range(0, len(ids), _CHUNK):
        names |= names_of(connection, ids[start : start + _CHUNK])
    return [
        Issue(
            f.item_id, names[f.item_id][0], f.kind, f.question, f.label, f.suggested, f.score,
            f.reason, tuple((i, names[i][0]) for i in f.others), f.box,
            image_path(f.item_id, here[f.item_id][2]), here[f.item_id][3], here[f.item_id][1],
            f.final_seq,
        )
        for f in found
    ]  # fmt: skip
