"""The adjudication screen: the list of disputes, one of them in full, the ruling.

Nothing is decided here: what the lead picked is shown, then sent with a reason to the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from core.access import Actor
from core.clock import new_uuid
from core.errors import TiebreakError
from core.labels import Answer, LabelSchema, Region
from core.labels.geometry import match_boxes
from core.labels.schema import Question, Task
from core.services.adjudication import (
    DisputeRow,
    DisputeView,
    Ruling,
    decide,
    disputes,
    explain,
    get_dispute,
)
from core.services.projects import ProjectView, get_project
from core.services.workspace import Workspace, current_workspace
from core.ui import box_editor, deck, identity, states, urls, widgets
from core.ui.deck.texts import flag_words
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join

PICK = "tb-dispute"
DRAFT = "tb-ruling"
REFUSED = "tb-ruling-refused"
LAST = "tb-ruling-last"
REASON = "tb-reason"
SEPARATOR = " · "

# Okabe-Ito hues with a dash each: neither alone has to carry who said what.
_LOOKS = (
    ("#0072B2", ""),
    ("#E69F00", "9 5"),
    ("#CC79A7", "2 4"),
    ("#009E73", "12 4 2 4"),
    ("#56B4E9", "1 3"),
    ("#8C6D1F", "6 3"),
)
_MODEL_LOOK = ("#D55E00", "4 4")
_VOTE_KEYS = "QWYIOK"
# Keys of the classes are digits, as in the deck; C and R belong to Streamlit.
_TEMPLATES = (
    ("G", mark("Guideline settles it")),
    ("V", mark("Clearly visible")),
    ("H", mark("Slip of the hand")),
    ("T", mark("Gap in the guideline")),
    ("U", mark("Image unclear")),
)


@dataclass(slots=True)
class Draft:
    """A ruling in the making.

    Attributes:
        source: Key of the answer taken over: "1"…, "M", or "" for one's own.
        answer: What would be decided; None until something was picked.
        uuid: Kept over retries, so that a ruling sent twice counts once.
    """

    item_id: int
    source: str = ""
    answer: Answer | None = None
    uuid: str = field(default_factory=new_uuid)
    editing: box_editor.Editing | None = None


@st.fragment
def work(slug: str) -> None:
    """Show the disputes and the one in hand; runs again by itself, so it asks again who is looking."""
    with states.boundary():
        ws, actor = current_workspace(), identity.current_actor()
        project = get_project(ws, actor, slug)
        rows = disputes(ws, actor, slug)
        asked = _asked_item()
        item_id = _current(rows, asked)
        if item_id is None:
            _nothing(slug)
            return
        view = get_dispute(ws, actor, slug, item_id)
        _head(project, rows, item_id, view)
        draft = _draft(item_id)
        if draft.editing is not None:
            _edit(project, view, draft)
        else:
            _dispute(project, view, draft)


def _asked_item() -> int | None:
    asked = st.query_params.get("item", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None


def _current(rows: list[DisputeRow], asked: int | None) -> int | None:
    """Return the item to show: the one picked, the permalink's, else the most valuable."""
    ids = [row.item_id for row in rows]
    picked, last = st.session_state.get(PICK), st.session_state.get(LAST, (None, ""))
    if picked is not None and (picked in ids or picked == last[0]):
        return int(picked)
    if asked is not None:
        return asked
    return ids[0] if ids else None


def _draft(item_id: int) -> Draft:
    draft = st.session_state.get(DRAFT)
    if draft is None or draft.item_id != item_id:
        draft = st.session_state[DRAFT] = Draft(item_id)
        st.session_state[REASON] = ""
    return draft


def _nothing(slug: str) -> None:
    states.nothing_left(
        _("No item is in dispute. New ones come here when votes differ or somebody flags an item.")
    )
    _why_last(slug)


# --- the line above -----------------------------------------------------------------------------


def _head(project: ProjectView, rows: list[DisputeRow], item_id: int, view: DisputeView) -> None:
    """Draw which dispute this is, how many there are, and the way to the others."""
    ids = [row.item_id for row in rows]
    left, middle, right = st.columns([3, 3, 6], vertical_alignment="center")
    nth = _("{i} of {n}").format(i=ids.index(item_id) + 1, n=len(ids)) if item_id in ids else ""
    with left:
        draw(
            "<div class='tb-small'><b style='font-size:1rem'>{name}</b> <span class='tb-muted'>{n}</span></div>",
            name=view.item.name,
            n=nth or many("{n} dispute", "{n} disputes", len(ids)),
        )
    names = {row.item_id: _row_words(row) for row in rows}
    with middle:
        st.selectbox(
            _("Disputes"),
            ids if item_id in ids else [item_id, *ids],
            index=ids.index(item_id) if item_id in ids else 0,
            format_func=lambda i: names.get(i, view.item.name),
            key=f"tb-pick-dispute-{item_id}",
            label_visibility="collapsed",
            on_change=_picked,
            args=(f"tb-pick-dispute-{item_id}", item_id),
        )
    with right, st.container(horizontal=True, gap="small", horizontal_alignment="right"):
        with st.popover(_("Guideline")):
            draw(
                "<div style='white-space:pre-wrap'>{text}</div>",
                text=project.guideline or _("This project has no guideline yet."),
            )
        _why_last(project.slug)
        for label, key, by in ((_("Previous"), "Left", -1), (_("Next"), "Right", 1)):
            st.button(
                label, key=f"tb-go-{key}", shortcut=key, on_click=_step, args=(ids, item_id, by)
            )
    problem = st.session_state.pop(REFUSED, None)
    if problem is not None:
        states.say_error(problem)


def _row_words(row: DisputeRow) -> str:
    flag = _("flagged") if row.flagged else ""
    return SEPARATOR.join(p for p in (row.name, " / ".join(row.labels), flag) if p)


def _picked(key: str, shown: int) -> None:
    """Go to the item picked; a list that only says again what is shown moves nobody."""
    picked = st.session_state.get(key)
    if picked is not None and picked != shown:
        _go(picked)


def _go(item_id: int) -> None:
    st.session_state[PICK] = item_id
    st.query_params.pop("item", None)


def _step(ids: list[int], item_id: int, by: int) -> None:
    if ids:
        place = ids.index(item_id) if item_id in ids else -1 if by > 0 else 1
        _go(ids[(place + by) % len(ids)])


def _why_last(slug: str) -> None:
    """Offer why the item just ruled on has its label, and the way back to it."""
    last = st.session_state.get(LAST)
    if last is None:
        return
    ws, actor = current_workspace(), identity.current_actor()
    item_id, name = last
    with st.popover(_("Last ruling")):
        draw("<b>{name}</b>", name=name)
        why_card(ws, actor, slug, item_id)
        st.button(_("Open again"), key="tb-reopen", on_click=_go, args=(item_id,))


def why_card(ws: Workspace, actor: Actor, slug: str, item_id: int) -> None:
    """Draw why an item has its label: who said what, what the policy made of it, who decided."""
    why = explain(ws, actor, slug, item_id)
    label = why.label or widgets.state_name(why.state)
    lines = join(fill("<li>{s}</li>", s=s) for s in why.sentences)
    foot = SEPARATOR.join(
        p
        for p in (
            _("policy version {n}").format(n=why.policy_version) if why.policy_version else "",
            why.model or "",
            widgets.when(why.at) if why.at else "",
        )
        if p
    )
    draw(
        "<div class='tb-small'><b>{label}</b><ul style='margin:.2rem 0'>{lines}</ul>"
        "<span class='tb-muted'>{foot}</span></div>",
        label=label,
        lines=lines,
        foot=foot,
    )


# --- the dispute --------------------------------------------------------------------------------


def layers_of(view: DisputeView, iou_at_least: float) -> tuple[deck.Layer, ...]:
    """Return everybody's answer and the model's as layers, names hidden, each in its own look.

    Args:
        view: The dispute.
        iou_at_least: From which overlap on two boxes are the same; what all voters share is drawn
            faintly, so that the eye goes to what differs.
    """
    answers = [vote.answer for vote in view.votes]
    found = [
        deck.Layer(
            name=vote.alias,
            key=_VOTE_KEYS[n % len(_VOTE_KEYS)],
            colour=_LOOKS[n % len(_LOOKS)][0],
            dash=_LOOKS[n % len(_LOOKS)][1],
            lines=(_vote_words(vote.seconds, vote.prelabel_shown),),
            answer=vote.answer,
            shared=shared_boxes(vote.answer, answers, iou_at_least),
        )
        for n, vote in enumerate(view.votes)
    ]
    model = view.item.prelabel
    if model is not None:
        found.append(
            deck.Layer(
                name=_("Model"),
                key="M",
                colour=_MODEL_LOOK[0],
                dash=_MODEL_LOOK[1],
                lines=(model.source,),
                answer=model.answer,
                shared=shared_boxes(model.answer, answers, iou_at_least),
                confidence=model.confidence,
            )
        )
    return tuple(found)


def shared_boxes(answer: Answer, others: Sequence[Answer], iou_at_least: float) -> tuple[bool, ...]:
    """Return for each box of an answer whether every one of the others has it too."""
    shared = [True] * len(answer.regions)
    for other in others:
        matched = {i for i, _j, _iou in match_boxes(answer.regions, other.regions, iou_at_least)}
        shared = [s and i in matched for i, s in enumerate(shared)]
    return tuple(shared) if len(others) > 1 else (False,) * len(answer.regions)


def _vote_words(seconds: float | None, prelabel_shown: bool) -> str:
    time = _("{s} s").format(s=f"{seconds:.0f}") if seconds is not None else ""
    seen = _("saw the pre-label") if prelabel_shown else _("without the pre-label")
    return SEPARATOR.join(p for p in (time, seen) if p)


def _dispute(project: ProjectView, view: DisputeView, draft: Draft) -> None:
    layers = layers_of(view, project.policy.iou_at_least)
    left, right = st.columns([10, 5], gap="small")
    with left:
        deck.votes_view(
            view.item.image,
            view.item.name,
            (view.item.width, view.item.height),
            layers,
            project.schema,
            draft.source,
        )
    with right, st.container(gap="xsmall"):
        _because(project, view)
        if not view.may_decide:
            st.warning(view.may_not_because)
        _picks(project.schema, view, layers, draft)
        _ruling(project, view, draft)


def _because(project: ProjectView, view: DisputeView) -> None:
    flags = join(
        fill(
            "<div class='tb-small'><b>{who}</b>: {what}</div>",
            who=f.alias,
            what=flag_words(f.reason),
        )
        for f in view.flags
    )
    draw(
        "<div class='tb-banner' style='display:block;margin:0'>{why}{differs}{flags}</div>",
        why=view.why,
        differs=fill(
            " <span class='tb-muted'>{t}</span>",
            t=_("Differs in: {what}.").format(what=", ".join(view.differs)),
        )
        if view.differs
        else Markup(),
        flags=flags,
    )


def _picks(
    schema: LabelSchema, view: DisputeView, layers: tuple[deck.Layer, ...], draft: Draft
) -> None:
    """Draw what can be decided for: an answer that was given, or one of the lead's own."""
    may = view.may_decide
    with st.container(horizontal=True, gap="xsmall"):
        for layer in layers:
            st.button(
                layer.name,
                key=f"tb-take-{layer.key}",
                shortcut=layer.key,
                type="primary" if draft.source == layer.key else "secondary",
                disabled=not may,
                on_click=_take,
                args=(draft, layer.key, layer.answer),
            )
        if schema.task is Task.BOXES:
            st.button(
                _("Edit boxes"),
                key="tb-edit",
                shortcut="E",
                disabled=not may,
                on_click=_begin_edit,
                args=(draft, view, schema),
            )
    in_hand = _question_in_hand(schema, draft)
    for question in schema.item_questions:
        _own_choice(draft, question, question is in_hand, may)


def _question_in_hand(schema: LabelSchema, draft: Draft) -> Question | None:
    """Return the question the digits answer: the first open one, else the first."""
    chosen = draft.answer.choices if draft.answer else {}
    return next((q for q in schema.item_questions if q.key not in chosen), None) or next(
        iter(schema.item_questions), None
    )


def _own_choice(draft: Draft, question: Question, in_hand: bool, may: bool) -> None:
    chosen = draft.answer.choices.get(question.key) if draft.answer else None
    prefix = f"tb-own-{question.key}"
    box_editor.swatches(prefix, question.classes[:10])
    draw("<div class='tb-muted tb-small'>{title}</div>", title=_(question.title))
    with st.container(horizontal=True, gap="xsmall"):
        for c in question.classes[:10]:
            st.button(
                c.name,
                key=f"{prefix}-{c.id}",
                shortcut=(c.key or None) if in_hand else None,
                type="primary" if chosen == c.name else "secondary",
                disabled=not may,
                on_click=_choose,
                args=(draft, question.key, c.name),
            )
    if len(question.classes) > 10:
        widget = f"{prefix}-all-{draft.item_id}-{chosen}"
        st.selectbox(
            _(question.title),
            question.names,
            index=question.names.index(chosen) if chosen else None,
            key=widget,
            disabled=not may,
            label_visibility="collapsed",
            on_change=lambda: _choose(draft, question.key, st.session_state[widget]),
        )


def _take(draft: Draft, source: str, answer: Answer) -> None:
    plain = tuple(Region(r.label, *r.box) for r in answer.regions)
    draft.source, draft.answer = source, Answer(dict(answer.choices), plain)


def _choose(draft: Draft, key: str, name: str | None) -> None:
    before = draft.answer or Answer()
    choices = {**before.choices, key: name} if name else dict(before.choices)
    draft.source, draft.answer = "", Answer(choices, before.regions)


# --- the ruling ---------------------------------------------------------------------------------


def _ruling(project: ProjectView, view: DisputeView, draft: Draft) -> None:
    """Ask for the reason and send the ruling."""
    draw("<div class='tb-muted tb-small'>{t}</div>", t=_("Reason"))
    with st.container(horizontal=True, gap="xsmall"):
        for key, text in _TEMPLATES:
            st.button(
                _(text),
                key=f"tb-why-{key}",
                shortcut=key,
                disabled=not view.may_decide,
                on_click=_use_template,
                args=(_(text),),
            )
    st.text_input(
        _("Reason"),
        key=REASON,
        placeholder=_("Why? The reviewers will read it."),
        max_chars=2000,
        live=True,  # so that Tab out of it finds the buttons enabled
        label_visibility="collapsed",
        disabled=not view.may_decide,
    )
    reason = bool(st.session_state.get(REASON, "").strip())
    ready = view.may_decide and reason
    complete = draft.answer is not None and all(
        q.key in draft.answer.choices for q in project.schema.item_questions
    )
    _send(project, view, draft, "decide", _decide_words(draft), "D", ready and complete, True)
    with st.container(horizontal=True, gap="xsmall"):
        _send(project, view, draft, "neutral", _("No class fits"), "N", ready)
        _send(project, view, draft, "discard", _("Discard"), "X", ready)
        _send(project, view, draft, "send-back", _("More votes"), "B", ready)
    if view.may_decide and not ready:
        st.caption(_("Pick an answer, then say why: a ruling needs its reason."))


def _decide_words(draft: Draft) -> str:
    if draft.answer is None:
        return _("Decide")
    said = ", ".join(draft.answer.choices.values())
    if draft.answer.regions or not said:
        said = SEPARATOR.join(
            p for p in (said, many("{n} box", "{n} boxes", len(draft.answer.regions))) if p
        )
    return _("Decide: {label}").format(label=said)


def _use_template(text: str) -> None:
    st.session_state[REASON] = text


def _send(
    project: ProjectView,
    view: DisputeView,
    draft: Draft,
    kind: str,
    label: str,
    key: str,
    ready: bool,
    strong: bool = False,
) -> None:
    st.button(
        label,
        key=f"tb-rule-{kind}",
        shortcut=key,
        type="primary" if strong else "secondary",
        width="stretch",
        disabled=not ready,
        on_click=_decide,
        args=(project.slug, view, draft, kind),
    )


def _decide(slug: str, view: DisputeView, draft: Draft, kind: str) -> None:
    """Send the ruling; on a refusal everything stays, with the sentence."""
    ruling = Ruling(
        uuid=draft.uuid,
        item_id=draft.item_id,
        kind=kind,
        answer=draft.answer if kind == "decide" else None,
        reason=st.session_state.get(REASON, ""),
        votes_seen=view.votes_seen,
    )
    try:
        ws, actor = current_workspace(), identity.current_actor()
        rows = [r.item_id for r in disputes(ws, actor, slug)]
        decide(ws, actor, slug, ruling)
    except TiebreakError as problem:
        st.session_state[REFUSED] = problem
        return
    st.session_state[LAST] = (draft.item_id, view.item.name)
    st.session_state.pop(DRAFT, None)
    st.session_state[REASON] = ""
    place = rows.index(draft.item_id) if draft.item_id in rows else 0
    rest = [i for i in rows if i != draft.item_id]
    _go(rest[place % len(rest)] if rest else 0)


# --- boxes of the lead's own --------------------------------------------------------------------


def _begin_edit(draft: Draft, view: DisputeView, schema: LabelSchema) -> None:
    begun = draft.answer
    if begun is None:
        begun = view.votes[0].answer if view.votes else Answer()
    size = (view.item.width, view.item.height)
    draft.editing = box_editor.start(
        draft.item_id, size, begun.regions, schema, deck.votes_room(), begun.choices
    )


def _edit(project: ProjectView, view: DisputeView, draft: Draft) -> None:
    editing = draft.editing
    if editing is None:
        return

    def actions(good: bool) -> None:
        st.button(
            _("Use these boxes"),
            key="tb-use",
            type="primary",
            shortcut="S",
            width="stretch",
            disabled=not good,
            on_click=_use_boxes,
            args=(draft,),
        )
        st.button(
            _("Back"),
            key="tb-leave",
            shortcut="Esc",
            width="stretch",
            on_click=_leave_boxes,
            args=(draft,),
        )

    image = urls.absolute(f"{view.item.image}&w=1600")
    box_editor.show(editing, image, project.schema, None, actions)


def _use_boxes(draft: Draft) -> None:
    editing = draft.editing
    if editing is not None:
        draft.source, draft.answer = "", Answer(dict(editing.choices), editing.regions)
    draft.editing = None


def _leave_boxes(draft: Draft) -> None:
    draft.editing = None
