"""The page of suspicious labels: what was found, by which kind and class, and looking anew."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.services.issues.finding import NO_EMBEDDINGS, images_of, issues_of, known_issues
from core.services.issues.values import IssuesView, Kind
from core.ui import states, widgets
from core.ui.background import Work, start
from core.ui.deck.suspicious import KIND_NAMES, suspicious_list
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import draw

SHOWN = 200
"""Rows the list holds at once; the filters lead to the others."""
RUNNING = "suspicious.work"
FAILED = "suspicious.failed"
EVERY_SECONDS = 0.7
COUNT_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Looking:
    """A look under way in this session."""

    slug: str
    work: Work[IssuesView]


def show_suspicious(page: PageContext) -> None:
    """Draw the page: the look under way, or what was found last."""
    running: Looking | None = st.session_state.get(RUNNING)
    if running is not None and running.slug == page.slug:
        if not running.work.over.is_set():
            _watch(running)
            return
        del st.session_state[RUNNING]
        if running.work.error is not None:
            states.error(running.work.error, inline=True)
    kind, label = _asked_kind(), st.query_params.get("class", "")
    question = _asked_question(page)
    view = known_issues(
        page.ws, page.actor, page.slug, kinds=[kind] if kind else (), question=question,
        label=label, limit=SHOWN,
    )  # fmt: skip
    if view is None:
        _never(page)
        return
    _head(page, view, kind, label, question)
    if not view.issues:
        _nothing(view, bool(kind or label or question))
        return
    others = [i for issue in view.issues for i, _name in issue.others[:6]]
    images = images_of(page.ws, page.actor, page.slug, others)
    suspicious_list(page.slug, view, images, page.actor.person_id)


def _asked_question(page: PageContext) -> str:
    """Return the question whose labels are listed, by its title; "" is the first. One at a time."""
    asked = st.query_params.get("question", "")
    further = page.project.schema.item_questions[1:] if page.project else ()
    return asked if asked in {q.title for q in further} else ""


def _asked_kind() -> Kind | None:
    asked = st.query_params.get("kind", "")
    return Kind(asked) if asked in tuple(Kind) else None


# --- looking ------------------------------------------------------------------------------------


def _look(page: PageContext) -> None:
    """Begin to look at every label, in a thread that outlives the reader's next click."""

    def do(work: Work[IssuesView]) -> IssuesView:
        return issues_of(
            page.ws, page.actor, page.slug, limit=1,
            progress=lambda p: work.report(p.phase, p.done, p.total, p.seconds_left),
        )  # fmt: skip

    st.session_state[RUNNING] = Looking(page.slug, start(do))


@st.fragment(run_every=EVERY_SECONDS)
def _watch(running: Looking) -> None:
    work = running.work
    if work.over.is_set():
        st.rerun()
    share = work.done / work.total if work.total else 0.0
    st.progress(min(share, 1.0), text=_("Looking at every label …"))
    widgets.caption(_("You may leave this page; what is found is kept."))


def _never(page: PageContext) -> None:
    states.empty(
        _("Nobody has looked yet"),
        _(
            "Every label is held against a model that has not seen it, and every image against the others."
        ),
        _("It takes from seconds to some minutes, the longer the more labels there are."),
    )
    st.button(
        _("Look for suspicious labels"), type="primary", icon=":material/troubleshoot:",
        key="suspicious.look", on_click=_look, args=(page,),
    )  # fmt: skip


# --- what was found -----------------------------------------------------------------------------


def _head(
    page: PageContext, view: IssuesView, kind: Kind | None, label: str, question: str
) -> None:
    """Draw the filters, how much was found, and how."""
    several = len(view.questions) > 1 or bool(question)
    *before, left, middle, right = st.columns(
        [2.2] * several + [2.2, 2.2, 5 - 1.6 * several], vertical_alignment="bottom"
    )
    for place in before:
        with place:
            _pick_question(page, view, question)
    with left:
        _pick_kind(view, kind)
    with middle:
        _pick_class(view, label)
    with right, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        with st.popover(_("How it was found")):
            st.text(view.probabilities or _("No label could be judged."))
            for note in view.notes:
                st.text(note)
            if view.answered:
                st.text(many("{n} was called right and is left out.",
                             "{n} were called right and are left out.", view.answered))  # fmt: skip
        st.button(
            _("Look again"), icon=":material/refresh:", key="suspicious.again",
            type="primary" if view.stale else "secondary", on_click=_look, args=(page,),
        )  # fmt: skip
    _count(page, kind, label, question)
    if (kind is None or kind.of_label) and page.project and not page.project.task.draws:
        widgets.caption(
            _(
                "Suspicion is 0.50 where the evidence speaks for the label given as much as for another, "
                "and 1.00 where it speaks for the other alone: 0.90 is 90 % against 10 % of two."
            )
        )
    if view.stale:
        widgets.caption(
            _(
                "Labels, images or models changed since this was found; what no longer holds is left out."
            )
        )
    if NO_EMBEDDINGS in view.notes:
        widgets.caption(_("The images were not looked at yet: choose Look again."))


@st.fragment(run_every=COUNT_EVERY_SECONDS)
def _count(page: PageContext, kind: Kind | None, label: str, question: str) -> None:
    """Draw how many there are; by itself again and again, as the list's answers are not told to the page."""
    view = known_issues(
        page.ws, page.actor, page.slug, kinds=[kind] if kind else (), question=question,
        label=label, limit=SHOWN,
    )  # fmt: skip
    if view is not None:
        draw("<div class='tb-small tb-muted'>{text}</div>", text=_count_words(view, question))


def _count_words(view: IssuesView, question: str) -> str:
    """Return how many there are of those asked for; `expected` is told of the first question alone."""
    said = many("{n} suspicion", "{n} suspicions", view.matching)
    of = view.questions.get(question, 0)
    part = _("of {n} on this question").format(n=f"{of:,}") if view.matching < of else ""
    on = many("{n} labelled item", "{n} labelled items", view.labelled)
    about = many("about {n} label is wrong", "about {n} labels are wrong", view.expected)
    if view.wrong.low is not None and view.wrong.high is not None:
        about += " " + _("(95 % {low} to {high} of the {n} looked at, by chance alone)").format(
            low=f"{view.wrong.low:,.0f}", high=f"{view.wrong.high:,.0f}", n=f"{view.n:,}"
        )
    listed = len(view.issues)
    shown = _("the first {n} are shown").format(n=f"{listed:,}") if listed < view.matching else ""
    first = f"{said} {part}" if part else said
    parts = (first, on, "" if question else about, shown)
    return " · ".join(part for part in parts if part)


def _pick_question(page: PageContext, view: IssuesView, question: str) -> None:
    """Draw the choice of the question whose labels are doubted; one at a time."""
    main = page.project.schema.main.title if page.project else ""
    words = {title: f"{title or main} ({n:,})" for title, n in sorted(view.questions.items())}
    for title in ("", question):
        words.setdefault(title, f"{title or main} (0)")
    key = "suspicious.question"
    st.session_state[key] = question
    st.selectbox(
        _("Question"), sorted(words), key=key, format_func=lambda v: words[v],
        on_change=_picked, args=("question", key),
    )  # fmt: skip


def _pick_kind(view: IssuesView, kind: Kind | None) -> None:
    found = [k for k in Kind if view.kinds.get(k) or k is kind]
    words = {k.value: f"{_(KIND_NAMES[k])} ({view.kinds.get(k, 0):,})" for k in found}
    _pick(_("Kind"), "kind", words, kind.value if kind else "")


def _pick_class(view: IssuesView, label: str) -> None:
    counted = sorted(view.classes.items(), key=lambda c: (-c[1], c[0]))
    words = {name: f"{name} ({n:,})" for name, n in counted}
    if label:
        words.setdefault(label, f"{label} (0)")
    _pick(_("Given label"), "class", words, label)


def _pick(title: str, name: str, words: dict[str, str], asked: str) -> None:
    """Draw one filter; the address holds what is chosen."""
    key = f"suspicious.{name}"
    st.session_state[key] = asked
    st.selectbox(
        title, ["", *words], key=key, format_func=lambda v: words.get(v, _("All")),
        on_change=_picked, args=(name, key),
    )  # fmt: skip


def _picked(name: str, key: str) -> None:
    chosen = st.session_state[key]
    if name == "question":
        st.query_params.pop("class", None)  # another question has other classes
    if chosen:
        st.query_params[name] = chosen
    else:
        st.query_params.pop(name, None)


def _nothing(view: IssuesView, filtered: bool) -> None:
    if filtered and view.total:
        states.empty(
            _("Nothing of this kind"),
            _("Other kinds or classes have some."),
            _("Choose All above."),
        )
        return
    if not view.n:
        states.empty(
            _("No labels yet"), _("A label can be doubted once it is in force."),
            _("Review some items or import labels, then look again."),
        )  # fmt: skip
        return
    note = view.notes[0] if view.notes else ""
    states.show(
        "check", _("Nothing looks suspicious"), note, _("Look again when labels have changed."),
        inline=True,
    )  # fmt: skip
