"""Ruling on one dispute: everybody's answer as layers, what to decide for, the reason, the boxes.

Nothing is decided here: what the lead picked is kept as a draft, then sent to the service.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from core.clock import new_uuid
from core.errors import TiebreakError
from core.labels import Answer, LabelSchema
from core.labels.region import Shape
from core.labels.schema import LabelClass, Question, Task
from core.services.projects.project import ProjectView
from core.services.review.adjudication import DisputeView, Ruling, decide, disputes
from core.services.workspace import current_workspace
from core.ui import box_editor, deck, differences, identity, layers, urls
from core.ui.deck.texts import flag_words
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import caption

PICK = "tb-dispute"
DRAFT = "tb-ruling"
REFUSED = "tb-ruling-refused"
LAST = "tb-ruling-last"
VISITS = "tb-ruling-visits"
REASON = "tb-reason"
SEPARATOR = " · "
FEW = 3
SHORT = 9
"""Letters of a class's name beside its key for which a third of the rail is wide enough."""
HASTE_SECONDS = 0.7
"""A digit this soon after another was pressed before the page could answer."""
SEEING_SECONDS = 0.6
"""A ruling this soon after its dispute was sent, some 0.4 s after it was painted, was not looked at."""
WAITING_SECONDS = 1.0
"""A ruling pressed before its reason arrived waits this long for it."""

# Keys of the classes are digits, as in the deck; C and R belong to Streamlit.
_TEMPLATES = (
    ("G", mark("Guideline settles it")),
    ("V", mark("Clearly visible")),
    ("H", mark("Slip of the hand")),
    ("T", mark("Gap in the guideline")),
    ("U", mark("Image unclear")),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A ruling that was pressed: of what kind, over what was on the screen, when (monotonic s)."""

    project: ProjectView
    view: DisputeView
    kind: str
    at: float


@dataclass(slots=True)
class Draft:
    """A ruling in the making.

    Attributes:
        visit: Which showing of a dispute this is; with the item it names every widget, so that what
            was typed or pressed for one dispute cannot reach the next.
        reason: Why, as typed for this item.
        told: How often a template set the reason. The field is made anew each time: the browser
            goes on sending the old text until it has heard of the new one.
        seen: Newest entry of the record that was on the screen; None before the first drawing.
        seen_at: When that was sent to the browser, monotonic seconds.
        asked: The ruling that was pressed and waits for its reason or answer.
        said: Why the last key decided nothing; "" when nothing is to be told.
        source: Key of the answer taken over: "1"…, "M", or "" for one's own.
        answer: What would be decided; None until something was picked.
        answered_at: When a question was answered last, monotonic seconds.
        uuid: Kept over retries, so that a ruling sent twice counts once.
    """

    item_id: int
    visit: int = 0
    source: str = ""
    answer: Answer | None = None
    answered_at: float = 0.0
    reason: str = ""
    told: int = 0
    seen: int | None = None
    seen_at: float = 0.0
    asked: Asked | None = None
    said: str = ""
    uuid: str = field(default_factory=new_uuid)
    editing: box_editor.Editing | None = None

    def key(self, name: str) -> str:
        """Return the key of a widget of this showing of this item."""
        return f"{name}-{self.item_id}-{self.visit}"

    @property
    def field(self) -> str:
        """Key of the field that holds the reason."""
        return self.key(f"{REASON}-{self.told}")


def draft_of(item_id: int) -> Draft:
    """Return the ruling in the making on an item; another item's is put aside."""
    draft = st.session_state.get(DRAFT)
    if draft is None or draft.item_id != item_id:
        st.session_state[VISITS] = visit = st.session_state.get(VISITS, 0) + 1
        draft = st.session_state[DRAFT] = Draft(item_id, visit)
    return draft


def go(item_id: int) -> None:
    """Show another dispute."""
    st.session_state[PICK] = item_id
    st.query_params.pop("item", None)


# --- the dispute --------------------------------------------------------------------------------


def show(project: ProjectView, view: DisputeView, draft: Draft) -> None:
    """Show a dispute with everything a ruling needs, or the canvas."""
    if draft.editing is not None:
        _edit(project, view, draft)
        return
    if draft.seen not in (None, view.newest_seq):
        draft.asked, draft.said = None, _("The votes changed while you looked: look again.")
    parties = layers.of_dispute(view, project.policy.iou_at_least)
    left, right = st.columns([10, 5.3], gap="small")
    with left:
        deck.votes_view(
            view.item.image,
            view.item.name,
            (view.item.width, view.item.height),
            parties,
            project.schema,
            draft.source,
        )
    with right, st.container(key="tb-rail", gap="small"):
        with st.container(key="tb-rail-picks", gap="xsmall"):
            _because(project, view)
            if not view.may_decide:
                st.warning(view.may_not_because)
            _picks(project.schema, view, parties, draft)
        with st.container(key="tb-rail-rule", gap="xsmall"):
            _ruling(project, view, draft)
            caption(_key_words(project.schema, parties))
    if draft.seen != view.newest_seq:
        draft.seen, draft.seen_at = view.newest_seq, time.monotonic()


def _key_words(schema: LabelSchema, parties: tuple[deck.Layer, ...]) -> str:
    """Return in one line what the keys do that no button of the rail's lower half shows."""
    takes = " ".join(layer.key for layer in parties if len(layer.key) == 1)
    several = [
        _("{keys} take an answer").format(keys=takes) if takes else "",
        _("1–9 answer") if any(not q.several for q in schema.item_questions) else "",
        _("E edits") if schema.task.draws else "",
        _("← → other disputes"),
    ]
    return SEPARATOR.join(p for p in several if p)


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
            t=_("Differs in: {what}.").format(what=", ".join(_parts(project.schema, view.differs))),
        )
        if view.differs
        else Markup(),
        flags=flags,
    )
    parties = [differences.Said(v.alias, v.answer) for v in view.votes]
    for sentence in differences.differences(project.schema, parties, project.policy.iou_at_least):
        caption(sentence)


def _parts(schema: LabelSchema, keys: tuple[str, ...]) -> list[str]:
    """Return in words what answers differ in: a question as people know it, or the regions."""
    titles = {q.key: _(q.title) for q in schema.item_questions}
    drawn = _("boxes") if schema.task.shape is Shape.BOX else _("regions")
    return [drawn if key == "regions" else titles.get(key, key) for key in keys]


def _picks(
    schema: LabelSchema, view: DisputeView, parties: tuple[deck.Layer, ...], draft: Draft
) -> None:
    """Draw what can be decided for: an answer that was given, or one of the lead's own."""
    may = view.may_decide
    with st.container(horizontal=True, gap="xsmall"):
        for layer in parties:
            st.button(
                layer.name,
                key=draft.key(f"tb-take-{layer.key}"),
                shortcut=layer.key if len(layer.key) == 1 else None,
                type="primary" if draft.source == layer.key else "secondary",
                disabled=not may,
                on_click=_take,
                args=(draft, layer.key, layer.answer),
            )
        if schema.task.draws:
            st.button(
                _("Edit boxes") if schema.task.shape is Shape.BOX else _("Edit regions"),
                key=draft.key("tb-edit"),
                shortcut="E",
                disabled=not may,
                on_click=_begin_edit,
                args=(draft, view, schema),
            )
    in_hand = _question_in_hand(schema, draft)
    for question in schema.item_questions:
        # The one the digits answer sticks to the edge where there is not room for all.
        name = "hand" if question is in_hand else "ask"
        with st.container(key=f"tb-{name}-{question.key}", gap="xsmall"):
            if question.several:
                _own_classes(draft, question, may)
                continue
            _own_choice(draft, schema, question, question is in_hand, may)


def _question_in_hand(schema: LabelSchema, draft: Draft) -> Question | None:
    """Return the question the digits answer: the first open one, else the first."""
    single = [q for q in schema.item_questions if not q.several]
    chosen = draft.answer.choices if draft.answer else {}
    return next((q for q in single if q.key not in chosen), None) or next(iter(single), None)


def _own_choice(
    draft: Draft, schema: LabelSchema, question: Question, in_hand: bool, may: bool
) -> None:
    chosen = draft.answer.choices.get(question.key) if draft.answer else None
    prefix = draft.key(f"tb-own-{question.key}")
    classes = question.open_classes
    box_editor.swatches(prefix, classes[:10])
    draw("<div class='tb-muted tb-small'>{title}</div>", title=_(question.title))
    # Many classes stand in columns, where the eye finds them again; a few in one line.
    short = all(len(c.name) <= SHORT for c in classes[:10])
    layout = "one" if len(classes) <= FEW else "three" if short else "two"
    with st.container(horizontal=True, gap="xsmall", key=f"tb-{layout}-{question.key}"):
        for c in classes[:10]:
            st.button(
                c.name,
                key=f"{prefix}-{c.id}",
                shortcut=(c.key or None) if in_hand else None,
                type="primary" if chosen == c.name else "secondary",
                disabled=not may,
                on_click=_press,
                args=(draft, schema, question, c),
            )
    if len(classes) > 10:
        names = question.open_names
        widget = f"{prefix}-all-{chosen}"
        st.selectbox(
            _(question.title),
            names,
            index=names.index(chosen) if chosen in names else None,
            key=widget,
            placeholder=_("All {n} classes").format(n=len(classes)),
            disabled=not may,
            label_visibility="collapsed",
            on_change=lambda: _choose(draft, question.key, st.session_state[widget]),
        )


def _own_classes(draft: Draft, question: Question, may: bool) -> None:
    """Ask a question that takes several classes; choosing none and saying so is an answer."""
    told = draft.answer.multi.get(question.key) if draft.answer else None
    widget = draft.key(f"tb-own-{question.key}-{draft.source}-{told}")
    st.multiselect(
        _(question.title),
        question.open_names,
        default=[n for n in told or () if n in question.open_names],
        key=widget,
        placeholder=_("None of them") if told == () else _("Choose"),
        disabled=not may,
        on_change=lambda: _choose_several(draft, question, st.session_state[widget]),
    )
    if told is None:
        st.button(
            _("None of them"),
            key=f"{widget}-none",
            disabled=not may,
            on_click=_choose_several,
            args=(draft, question, ()),
        )


def _choose_several(draft: Draft, question: Question, names: Sequence[str]) -> None:
    before = draft.answer or Answer()
    told = tuple(n for n in question.names if n in names)
    draft.source = ""
    draft.answer = replace(before, multi={**before.multi, question.key: told})
    _carry_on(draft)


def _take(draft: Draft, source: str, answer: Answer) -> None:
    plain = tuple(replace(r, confidence=None) for r in answer.regions)
    draft.source, draft.answer = source, replace(answer, regions=plain)
    _carry_on(draft)


def _press(draft: Draft, schema: LabelSchema, question: Question, pressed: LabelClass) -> None:
    """Answer a question; a digit that was typed ahead answers the next one.

    The browser learns which question the digits mean only with the server's reply. A second digit
    that comes before it would change the answer just given.
    """
    open_ = _question_in_hand(schema, draft)
    hasty = time.monotonic() - draft.answered_at < HASTE_SECONDS
    if hasty and open_ is not None and open_ is not question and pressed.key:
        question = open_
        meant = next((c for c in open_.open_classes if c.key == pressed.key), None)
        if meant is None:
            return
        pressed = meant
    _choose(draft, question.key, pressed.name)
    draft.answered_at = time.monotonic()


def _choose(draft: Draft, key: str, name: str | None) -> None:
    before = draft.answer or Answer()
    choices = {**before.choices, key: name} if name else dict(before.choices)
    draft.source, draft.answer = "", replace(before, choices=choices)
    _carry_on(draft)


# --- the ruling ---------------------------------------------------------------------------------


def _ruling(project: ProjectView, view: DisputeView, draft: Draft) -> None:
    """Ask for the reason and send the ruling."""
    with st.container(horizontal=True, gap="xsmall", key="tb-reasons"):
        for key, text in _TEMPLATES:
            st.button(
                _(text),
                key=draft.key(f"tb-why-{key}"),
                shortcut=key,
                disabled=not view.may_decide,
                on_click=_use_template,
                args=(draft, _(text)),
            )
    st.session_state.setdefault(draft.field, draft.reason)
    st.text_input(
        _("Reason"),
        key=draft.field,
        placeholder=_("Why? The reviewers will read it."),
        max_chars=2000,
        label_visibility="collapsed",
        disabled=not view.may_decide,
        on_change=_say_why,
        args=(draft, draft.field),
    )
    reason, complete = bool(draft.reason.strip()), _is_complete(project.schema, draft)
    may = view.may_decide
    words = _decide_words(project.schema, draft)
    _rule_button(Asked(project, view, "decide", 0), draft, words, "D", reason and complete)
    with st.container(horizontal=True, gap="xsmall"):
        for kind, label, key in (
            ("neutral", _("No class fits"), "N"),
            ("discard", _("Discard"), "X"),
            ("send-back", _("More votes"), "B"),
        ):
            _rule_button(Asked(project, view, kind, 0), draft, label, key)
    if draft.said:
        draw("<div class='tb-small tb-undecided' role='alert'>{t}</div>", t=draft.said)
    elif may and not (reason and complete):
        caption(_what_is_missing(reason, complete))


def _is_complete(schema: LabelSchema, draft: Draft) -> bool:
    answer = draft.answer
    return answer is not None and all(answer.said(q.key) is not None for q in schema.item_questions)


def _what_is_missing(reason: bool, complete: bool) -> str:
    """Return what a ruling still needs: until then its keys only say so."""
    if reason:
        return _("D needs an answer to every question; N, X and B do not.")
    if complete:
        return _("Now say why: D, N, X and B need a reason.")
    return _("Answer each question, say why: D, N, X and B need a reason.")


def _decide_words(schema: LabelSchema, draft: Draft) -> str:
    answer = draft.answer
    if answer is None:
        return _("Decide")
    several = (" + ".join(names) or _("none of them") for names in answer.multi.values())
    said = ", ".join([*answer.choices.values(), *several])
    if schema.draws:
        n = len(answer.regions)
        boxes = schema.task.shape is Shape.BOX
        count = many("{n} box", "{n} boxes", n) if boxes else many("{n} region", "{n} regions", n)
        said = SEPARATOR.join(p for p in (said, count) if p)
    return _("Decide: {label}").format(label=said)


def _rule_button(would: Asked, draft: Draft, label: str, key: str, strong: bool = False) -> None:
    """Draw a way to rule; it is never shut while a reason may be on its way from the browser."""
    st.button(
        label,
        key=draft.key(f"tb-rule-{would.kind}"),
        shortcut=key,
        type="primary" if strong else "secondary",
        width="stretch",
        disabled=not would.view.may_decide,
        on_click=_rule,
        args=(would, draft),
    )


def _use_template(draft: Draft, text: str) -> None:
    draft.reason, draft.told = text, draft.told + 1
    draft.answered_at = time.monotonic()
    _carry_on(draft)


def _say_why(draft: Draft, field_key: str) -> None:
    if field_key != draft.field:
        return  # an echo of a field that is gone
    draft.reason = st.session_state[field_key]
    _carry_on(draft)


def _rule(would: Asked, draft: Draft) -> None:
    """Send the ruling pressed, let it wait for what is on its way, or say why nothing is decided."""
    if st.session_state.get(DRAFT) is not draft:
        return  # pressed twice: the first press ruled
    now = time.monotonic()
    if draft.seen is None or now - draft.seen_at < SEEING_SECONDS:
        draft.said = _("Not decided: this had only just come up. Look, then press again.")
        return
    if would.kind != "decide" and now - draft.answered_at < SEEING_SECONDS:
        # Right behind an answer or a reason it was typed after a D that is still on its way, or lost.
        draft.said = _("Not decided: that came too fast. Look, then press again.")
        return
    # Of what the browser sends together, the button may come before the text typed for it.
    draft.reason = st.session_state.get(draft.field, draft.reason)
    # The first press counts: a key typed right behind it must not turn a decision into a discard.
    if draft.asked is None or now - draft.asked.at >= WAITING_SECONDS:
        draft.asked = replace(would, at=now)
    _attempt(draft, draft.asked)


def _carry_on(draft: Draft) -> None:
    """Take up the ruling that was pressed a moment before what it waits for arrived."""
    asked, draft.said = draft.asked, ""
    if asked is not None and time.monotonic() - asked.at < WAITING_SECONDS:
        _attempt(draft, asked)


def _attempt(draft: Draft, asked: Asked) -> None:
    if not draft.reason.strip():
        draft.said = _("Not decided: say why first.")
    elif asked.kind == "decide" and not _is_complete(asked.project.schema, draft):
        draft.said = _("Not decided: answer every question first.")
    else:
        draft.asked = None
        _decide(asked, draft)


def _decide(asked: Asked, draft: Draft) -> None:
    """Send the ruling; on a refusal everything stays, with the sentence."""
    ruling = Ruling(
        uuid=draft.uuid,
        item_id=draft.item_id,
        kind=asked.kind,
        answer=draft.answer if asked.kind == "decide" else None,
        reason=draft.reason,
        votes_seen=asked.view.votes_seen,
        newest_seq=asked.view.newest_seq,
    )
    try:
        ws, actor = current_workspace(), identity.current_actor()
        rows = [r.item_id for r in disputes(ws, actor, asked.project.slug)]
        decide(ws, actor, asked.project.slug, ruling)
    except TiebreakError as problem:
        st.session_state[REFUSED] = problem
        return
    st.session_state[LAST] = (draft.item_id, asked.view.item.name)
    st.session_state.pop(DRAFT, None)
    place = rows.index(draft.item_id) if draft.item_id in rows else 0
    rest = [i for i in rows if i != draft.item_id]
    go(rest[place % len(rest)] if rest else 0)


# --- boxes of the lead's own --------------------------------------------------------------------


def _begin_edit(draft: Draft, view: DisputeView, schema: LabelSchema) -> None:
    begun = draft.answer
    if begun is None:
        begun = view.votes[0].answer if view.votes else Answer()
    size = (view.item.width, view.item.height)
    draft.editing = box_editor.start(
        draft.item_id, size, begun.regions, schema, deck.votes_room(), begun.choices,
        begun.multi,
    )  # fmt: skip


def _edit(project: ProjectView, view: DisputeView, draft: Draft) -> None:
    editing = draft.editing
    if editing is None:
        return

    def actions(good: bool) -> None:
        st.button(
            _("Use these boxes") if project.task is Task.BOXES else _("Use these regions"),
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
        draft.source, draft.answer = "", editing.answer
    draft.editing = draft.asked = None


def _leave_boxes(draft: Draft) -> None:
    draft.editing = None
