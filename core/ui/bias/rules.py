"""The executable guideline on the bias page: its rules measured, what breaks them, limits to propose."""

from __future__ import annotations

import streamlit as st

from core.access import Action, Resource, can
from core.clock import new_uuid
from core.errors import TiebreakError
from core.labels.rules import About, Rule, with_rule
from core.services.bias.guideline_rules import (
    RuleFigure,
    RulesView,
    Violation,
    Violations,
    rule_violations,
    rules_view,
    send_violations_first,
    settled_violations,
)
from core.services.bias.learned_limits import LearnedLimit
from core.services.issues.answers import send_back
from core.services.report.tables import Cell, estimate_cells, estimate_columns
from core.services.steering.rules import set_guideline
from core.ui import charts, comparison, downloads, states, widgets
from core.ui.behind import Linked, item_cells
from core.ui.bias.ask import column_name
from core.ui.bias.contents import part_head, tell
from core.ui.bias.measure import draw_measuring
from core.ui.bias.reference import cell, here_with, linked, p_value, reference_in_address
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.choices import put
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import Markup, draw
from core.ui.tokens import BAD, MUTED
from core.ui.widgets import muted, table

CHART = "bias.rules.rule"
MOST_ROWS, MOST_LIMITS, MOST_SENT = 10, 12, 200
EXAMPLE = "```rules\nbrightness between 40 and 220\nsharpness at least 60\nobject size between 1 % and 60 %\n```"


def draw_rules(page: PageContext) -> None:
    """Draw the rules of the guideline against what there is, and the limits the record proposes."""
    with st.container(border=True):
        part_head(
            "rules",
            _("Executable guideline"),
            _("Rules written into the guideline, measured on every picture and region."),
        )
        view = rules_view(page.ws, page.actor, page.slug)
        if reference_in_address() is None:  # else the panel above offers it
            draw_measuring(page, view.unmeasured)
        _refused(view)
        tell(_finding(view))
        if view.figures:
            _rules(page, view)
        else:
            states.empty(
                _("The guideline has no rules yet"),
                _("Write them into its text, a line each, in a block like this:"),
            )
            st.code(EXAMPLE, language=None)
    _chosen(page, view)
    _limits(page, view)


def _finding(view: RulesView) -> str:
    """Return in one line what the rules found."""
    if not view.figures:
        return _("The guideline has no rules yet")
    broken = [f for f in view.figures if f.broken]
    if not broken:
        return many("{n} rule, broken nowhere.", "{n} rules, broken nowhere.", len(view.figures))
    worst = max(broken, key=lambda f: f.share.value or 0.0)
    return _("{broken} of {n} rules are broken, most often: {rule}.").format(
        broken=len(broken), n=len(view.figures), rule=worst.rule.text
    )


def _refused(view: RulesView) -> None:
    for bad in view.refused:
        draw(
            "<div class='tb-banner' style='margin:.2rem 0'><span>{t} <code>{line}</code></span></div>",
            t=bad.why,
            line=charts.shortened(bad.text, 80),
        )


# --- rules ----------------------------------------------------------------------------------------


def _rules(page: PageContext, view: RulesView) -> None:
    shown = [f for f in view.figures if f.share.value is not None]
    if shown:
        dots = [Dot(f.rule.text, (f.share,), BAD if f.broken else MUTED) for f in shown]
        ends = [e.high for d in dots for e in d.estimates if e.high is not None]
        draw_chart(
            charts.dots(
                dots, ("",), "%", extent=(-0.01, min(1.02, 1.1 * max([*ends, 0.2]))),
                axis=_("Share of the pictures beyond the rule"),
            ),
            CHART,
            "; ".join(f"{d.label}: {charts.sentence(d.estimates[0])}" for d in dots),
            lambda: _clicked(shown),
        )  # fmt: skip
    head = (_("Line"), _("Rule"), _("Beyond it"), _("Pictures"), _("Not measured"))
    table(head, [_rule(page, f) for f in view.figures], _("Rules"))
    columns = (
        "line",
        "rule",
        "broken",
        "measured",
        "unmeasured",
        "pictures",
        *estimate_columns("share"),
    )
    rows = (
        (
            f.rule.line,
            f.rule.text,
            f.broken,
            f.measured,
            f.unmeasured,
            f.items,
            *estimate_cells(f.share),
        )
        for f in view.figures
    )
    downloads.offer(page, "guideline rules", columns, rows)
    comparison.draw_notes(
        [
            _("Of pictures by Wilson's interval; of regions whole pictures are drawn again. Regions are those of labels in force.")
        ]
    )  # fmt: skip


def _clicked(shown: list[RuleFigure]) -> None:
    points = st.session_state[CHART].selection.points
    if points:
        place = round(float(points[0]["y"]))
        if 0 <= place < len(shown):
            put(rule=str(shown[place].rule.line))


def _rule(page: PageContext, f: RuleFigure) -> list[Markup | str]:
    if f.problem:
        return [str(f.rule.line), f.rule.text, muted(f.problem), "–", f"{f.unmeasured:,}"]
    return [
        str(f.rule.line),
        linked(f.rule.text, here_with(page, rule=str(f.rule.line))),
        cell(f.share),
        f"{f.items:,}",
        f"{f.unmeasured:,}",
    ]


# --- what breaks one ------------------------------------------------------------------------------


def _chosen(page: PageContext, view: RulesView) -> None:
    broken = [f for f in view.figures if f.broken]
    wanted = st.query_params.get("rule", "")
    chosen = next((f for f in broken if str(f.rule.line) == wanted), None)
    chosen = chosen or next(iter(sorted(broken, key=lambda f: -(f.share.value or 0.0))), None)
    if chosen is None:
        return
    with st.container(border=True), states.boundary(inline=True):
        card_head(_("What breaks: {rule}").format(rule=chosen.rule.text))
        found = rule_violations(page.ws, page.actor, page.slug, chosen.rule.line)
        _violations(page, found)
        _actions(page, found)


def _violations(page: PageContext, found: Violations) -> None:
    rows = [
        item_cells(page, Linked(p.item_id, p.name, p.image, p.state), told(found.rule, v))
        for v in found.rows[:MOST_ROWS]
        if (p := v.picture)
    ]
    if rows:
        table(("", _("Item"), _("State")), rows, _("What breaks the rule"))
    else:
        states.empty(_("Nothing that breaks it may be shown to you now."))
    said = many(
        "{n} picture breaks it; the furthest beyond are listed.",
        "{n} pictures break it; the furthest beyond are listed.",
        found.items,
    )
    if found.withheld:
        said += " " + many(
            "{n} is kept back: you could still vote on it. A manager sees it.",
            "{n} are kept back: you could still vote on them. A manager sees them.",
            found.withheld,
        )
    widgets.caption(said)
    columns = ("item", "name", "class", "rule", "value", "limit")
    listed = (
        (v.picture.item_id, v.picture.name, v.label, found.rule.text, v.value, v.limit)
        for v in found.rows
    )
    downloads.offer(page, "rule violations", columns, listed)


def told(rule: Rule, found: Violation) -> str:
    """Return what was found against the limit: brightness 12, at least 40."""
    side = _("at least {limit}") if found.value < found.limit else _("at most {limit}")
    limit = side.format(limit=_amount(rule, found.limit))
    what = f"{found.label}: {_subject(rule)}" if found.label else _subject(rule)
    return f"{what} {_amount(rule, found.value)}, {limit}"


def _subject(rule: Rule) -> str:
    return rule.subject if rule.about is About.METADATA else column_name(rule.subject).lower()


def _amount(rule: Rule, value: float) -> str:
    return f"{value * 100:.3g} %" if rule.subject == "object size" else f"{value:.4g}"


def _actions(page: PageContext, found: Violations) -> None:
    here = Resource(page.project.id if page.project else None)
    with st.container(horizontal=True, gap="small"):
        if found.open and can(page.actor, Action.STEER, here):
            st.button(
                many("Review this {n} open one first", "Review these {n} open ones first", found.open),
                key="bias.rules.first", icon=":material/playlist_add:", type="primary",
                on_click=_first, args=(page, found.rule.line),
            )  # fmt: skip
        if found.settled and can(page.actor, Action.ADJUDICATE, here):
            n = min(found.settled, MOST_SENT)
            st.button(
                many("Send {n} labelled one back to review", "Send {n} labelled ones back to review", n),
                key="bias.rules.back", icon=":material/undo:",
                on_click=_back, args=(page, found.rule),
            )  # fmt: skip


def _first(page: PageContext, line: int) -> None:
    try:
        made = send_violations_first(page.ws, page.actor, page.slug, line)
    except TiebreakError as error:
        states.say_error(error)
        return
    widgets.flash(
        many(
            "{n} item now comes first for everybody.",
            "{n} items now come first for everybody.",
            made.items,
        )
    )


def _back(page: PageContext, rule: Rule) -> None:
    """Send labelled pictures back, each a ruling of its own; what one refuses stops no other."""
    reason = f"Breaks a rule of the guideline: {rule.text}"
    sent, refused = 0, ""
    try:
        ids = settled_violations(page.ws, page.actor, page.slug, rule.line)[:MOST_SENT]
        for item_id in ids:
            try:
                found = send_back(page.ws, page.actor, page.slug, item_id, reason, new_uuid())
                sent += found.status == "saved"
            except TiebreakError as error:
                refused = str(error)
    except TiebreakError as error:
        states.say_error(error)
        return
    said = many("{n} item went back to review.", "{n} items went back to review.", sent)
    widgets.flash(f"{said} {refused}".strip(), "warning" if refused else "check_circle")


# --- limits ---------------------------------------------------------------------------------------


def _limits(page: PageContext, view: RulesView) -> None:
    with st.container(border=True):
        part_head("limits",
            _("Limits the record proposes"),
            _("Where pictures were discarded, skipped, flagged or answered wrongly more often. Each half of them chooses a limit, which the other half judges; the limit's interval says how far it is known."),
        )  # fmt: skip
        if not any(x.found for x in view.limits):
            n = max((x.n for x in view.limits), default=0)
            states.empty(
                _("Not enough data"),
                _("n = {n} pictures came to an end so far.").format(n=f"{n:,}"),
                _("A limit takes some hundred, of which some went wrong."),
            )
            return
        head = (
            _("Rule"), _("Limit"), _("Went wrong beyond it"), _("Within it"), _("Difference"),
            _("Adjusted p"), _("In force"),
        )  # fmt: skip
        shown = [x for x in view.limits if x.found is not None][:MOST_LIMITS]
        table(head, [_limit(x) for x in shown], _("Limits the record proposes"))
        _adopt(page, view, shown)
        columns = (
            "property", "rule", *estimate_columns("limit"), *estimate_columns("outside"),
            *estimate_columns("inside"), *estimate_columns("difference"), "adjusted_p", "in_force",
        )  # fmt: skip
        downloads.offer(page, "learned limits", columns, (_learned(x) for x in view.limits))


def _learned(x: LearnedLimit) -> list[Cell]:
    t = x.found
    told = (None,) * 4 if t is None else (t.limit, t.outside, t.inside, t.difference)
    return [
        x.subject,
        x.line,
        *(c for e in told for c in estimate_cells(e)),
        x.adjusted_p,
        x.in_force,
    ]


def _limit(x: LearnedLimit) -> list[Markup | str]:
    if x.found is None:
        return []
    return [
        x.line if x.is_sure else muted(x.line),
        cell(x.found.limit, ""),
        cell(x.found.outside),
        cell(x.found.inside),
        cell(x.found.difference.times(100), charts.POINTS),
        p_value(x.adjusted_p),
        x.in_force or "–",
    ]


def _adopt(page: PageContext, view: RulesView, shown: list[LearnedLimit]) -> None:
    """Offer to write the surest limit that the guideline does not have yet into it."""
    sure = [x for x in shown if x.is_sure and not x.in_force]
    if not sure:
        said = (
            _("No limit is sure, so none is proposed for the guideline.")
            if not any(x.is_sure for x in shown)
            else _("The guideline has a rule about every property with a sure limit.")
        )
        tell(said)
        widgets.caption(said)
        return
    tell(_("Proposed for the guideline: {rule}").format(rule=sure[0].line))
    if can(page.actor, Action.STEER, Resource(view.project.id)):
        st.button(
            states.plain_markdown(_("Write into the guideline: {rule}").format(rule=sure[0].line)),
            key="bias.rules.adopt", icon=":material/edit_note:", on_click=_write,
            args=(page, view, sure[0].line),
        )  # fmt: skip


def _write(page: PageContext, view: RulesView, line: str) -> None:
    try:
        set_guideline(
            page.ws, page.actor, page.slug, with_rule(view.project.guideline, line),
            f"A limit learnt from what went wrong: {line}",
        )  # fmt: skip
    except TiebreakError as error:
        states.say_error(error)
        return
    widgets.flash(_("Written into the guideline: {rule}").format(rule=line))
