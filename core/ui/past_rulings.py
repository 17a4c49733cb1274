"""Rulings made before: found by kind and words, opened again, overturned with what used them named."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Actor
from core.clock import new_uuid
from core.services.projects.project import ProjectView
from core.services.review.many import LeftOut
from core.services.review.overturn import Overturned, overturn
from core.services.review.rulings import MOST_PAGE, PastRuling, RulingFilter, rulings
from core.services.review.used import Used, what_used
from core.services.workspace import Workspace
from core.ui import urls, widgets
from core.ui.dispute_views import close_dialog, open_dialog
from core.ui.reasons import reason_field
from core.ui.settle_dialog import LEFT_OUT, answer_of, confirm, question_of, ways_of
from core.ui.text import _, many, mark
from core.ui.theme import draw, fill, join

ROWS = 10
KIND_NAMES = {
    "decide": mark("Decided"),
    "neutral": mark("No class fits"),
    "discard": mark("Discarded"),
    "send-back": mark("Sent back"),
}
_PAGE = "tb-rulings-page"
_KEPT = "tb-overturned"


def kept_note() -> None:
    """Say which versions and models keep a label that was just overturned."""
    told: Overturned | None = st.session_state.pop(_KEPT, None)
    if told is None or not told.versions:
        return
    versions = ", ".join(f"{name} ({n:,})" for name, n in told.versions)
    models = ", ".join(f"#{m.id} {m.backbone}" for m in told.models)
    draw(
        "<div class='tb-small' role='status'><b>{head}</b> {versions}{models}</div>",
        head=_("Dataset versions that keep an old label of these items:"),
        versions=versions,
        models=f" · {_('trained on it: {models}').format(models=models)}" if models else "",
    )


def left_out_note() -> None:
    """Say which items the last ruling on many left out, and why."""
    left: Sequence[LeftOut] = st.session_state.pop(LEFT_OUT, ())
    if not left:
        return
    reasons: dict[str, list[int]] = {}
    for one in left:
        reasons.setdefault(one.because, []).append(one.item_id)
    lines = join(
        fill("<li>{why} <span class='tb-muted'>{ids}</span></li>", why=why,
             ids=", ".join(f"#{i}" for i in ids[:20]))
        for why, ids in reasons.items()
    )  # fmt: skip
    draw(
        "<div class='tb-small' role='status'><b>{head}</b><ul style='margin:.2rem 0'>{lines}</ul></div>",
        head=many("{n} item was left out", "{n} items were left out", len(left)),
        lines=lines,
    )


def past_rulings(ws: Workspace, actor: Actor, project: ProjectView) -> None:
    """Draw the rulings made before, in pages."""
    widgets.section(
        _("Past rulings"),
        _("The newest ruling on an item counts; the record keeps them all."),
    )
    left, middle, right = st.columns([2, 1.2, 1.2], vertical_alignment="bottom")
    text = left.text_input(
        _("Reason or item name"), key="rulings.text", placeholder=_("Part of it"),
        on_change=_first_page,
    )  # fmt: skip
    kind = middle.selectbox(
        _("Kind"), ["", *KIND_NAMES], key="rulings.kind", on_change=_first_page,
        format_func=lambda k: _(KIND_NAMES[k]) if k else _("Any"),
    )  # fmt: skip
    only = right.toggle(_("In force only"), True, key="rulings.only", on_change=_first_page)
    start = ROWS * int(st.session_state.get(_PAGE, 0))
    asked = RulingFilter(kind=kind, text=text.strip(), in_force=only)
    found = rulings(ws, actor, project.slug, asked, start, ROWS)
    if not found.total:
        widgets.caption(_("No ruling was found."))
        return
    for row in found.rows:
        _row(ws, actor, project, row)
    _pages(start, found.total)


def _first_page() -> None:
    st.session_state[_PAGE] = 0


def _pages(start: int, total: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        place = start // ROWS
        if st.button(_("← Newer"), disabled=not start, key="tb-rulings-newer"):
            st.session_state[_PAGE] = place - 1
            st.rerun()
        if st.button(_("Older →"), disabled=start + ROWS >= total, key="tb-rulings-older"):
            st.session_state[_PAGE] = place + 1
            st.rerun()
        last = min(start + ROWS, total)
        widgets.caption(
            _("{a} to {b} of {n}").format(a=f"{start + 1:,}", b=f"{last:,}", n=f"{total:,}")
        )


def _row(ws: Workspace, actor: Actor, project: ProjectView, row: PastRuling) -> None:
    picture, words, doing = st.columns([0.5, 4, 2.6], vertical_alignment="center")
    with picture:
        draw(
            "<img class='tb-thumb' src='{src}' alt='{name}' loading='lazy'>",
            src=urls.path(f"{row.image}&w=200"),
            name=row.name,
        )
    with words:
        many_at_once = _("part of a ruling on many") if row.bulk else ""
        state = "" if row.in_force else _("overturned since")
        about = (row.by, widgets.when(row.at), many_at_once, state)
        draw(
            "<div class='tb-small'><b>{what}</b> · {name}<br>{reason}<br>"
            "<span class='tb-muted'>{about}</span> · <a href='{href}' target='_self'>{again}</a></div>",
            what=row.label or _(KIND_NAMES[row.kind]),
            name=row.name,
            reason=row.reason,
            about=" · ".join(p for p in about if p),
            href=urls.page("adjudicate", project=project.slug, item=str(row.item_id)),
            again=_("Open again"),
        )
    with (
        doing,
        st.container(
            horizontal=True, gap="small", horizontal_alignment="right", vertical_alignment="center"
        ),
    ):
        if row.in_force and row.kind != "send-back":
            st.button(
                _("Overturn…"), key=f"tb-overturn-{row.seq}", on_click=open_dialog,
                args=("overturn", (row,)),
            )  # fmt: skip
            if row.bulk and st.button(_("All of these…"), key=f"tb-overturn-all-{row.seq}"):
                asked = RulingFilter(bulk=row.bulk, in_force=True)
                whole = rulings(ws, actor, project.slug, asked, 0, MOST_PAGE)
                open_dialog("overturn", tuple(r for r in whole.rows if r.kind != "send-back"))
                st.rerun()


# --- overturning --------------------------------------------------------------------------------


def overturn_dialog(
    ws: Workspace, actor: Actor, project: ProjectView, rows: Sequence[PastRuling]
) -> None:
    """Ask what to rule instead, with what used the labels named, and rule."""
    title = many("Overturn {n} ruling", "Overturn {n} rulings", len(rows))
    st.dialog(title, width="medium", on_dismiss=close_dialog)(_overturn)(ws, actor, project, rows)


def _overturn(
    ws: Workspace, actor: Actor, project: ProjectView, rows: Sequence[PastRuling]
) -> None:
    key = f"{rows[0].seq}.{len(rows)}"
    what = rows[0].label or _(KIND_NAMES[rows[0].kind])
    widgets.caption(
        _("{name}: {what}. Reason then: {reason}").format(
            name=rows[0].name, what=what, reason=rows[0].reason
        )
        if len(rows) == 1
        else _("All were ruled on at once: {what}. Reason then: {reason}").format(
            what=what, reason=rows[0].reason
        )
    )
    if len(rows) == 1:
        used_card(what_used(ws, actor, project.slug, rows[0].item_id))
    main = project.schema.main.key
    ways = ways_of(project, main, _("Open again: ask for one more vote"))
    options = sorted(ways, key=lambda w: (w[0] != "send-back", w[1] == rows[0].label))
    way = st.selectbox(
        _("Ruling now"), options, format_func=lambda w: ways[w], key=f"overturn.way.{key}"
    )
    reason = reason_field(f"overturn.reason.{key}")
    if question_of(project, main) is None or project.schema.main.several:
        widgets.caption(
            _("For another answer than those in the list use “Open again”, item by item.")
        )
    widgets.caption(
        _("The old ruling stays in the record; this one counts. Dataset versions and models keep the "
          "label they were made with.")
    )  # fmt: skip
    uuid = st.session_state.setdefault(f"overturn.uuid.{key}", new_uuid())

    def do() -> tuple[int, Sequence[LeftOut]]:
        chosen = [(r.item_id, r.seq) for r in rows]
        told = overturn(
            ws,
            actor,
            project.slug,
            chosen,
            way[0],
            answer_of(project, main, way),
            reason,
            uuid,
        )
        st.session_state[_KEPT] = told
        return len(told.saved) + len(told.already), told.left_out

    confirm(many("Overturn {n} ruling", "Overturn {n} rulings", len(rows)), do)


def used_card(used: Used) -> None:
    """Draw which dataset versions and models use which label of an item."""
    if not used.versions:
        widgets.caption(_("No dataset version holds this item."))
        return
    lines = []
    for v in used.versions:
        models = ", ".join(f"#{m.id} {m.backbone}" for m in v.models)
        trained = _("trained on it: {models}").format(models=models) if models else ""
        now = "" if v.in_force else _("not the label in force")
        label = v.label if v.readable else _("its file cannot be read")
        about = " · ".join(p for p in (label, v.use, now, trained) if p)
        lines.append(fill("<li><b>{name}</b> · {about}</li>", name=v.name, about=about))
    draw(
        "<div class='tb-small'><b>{head}</b><ul style='margin:.2rem 0'>{lines}</ul></div>",
        head=_("Dataset versions that hold this item"),
        lines=join(lines),
    )
