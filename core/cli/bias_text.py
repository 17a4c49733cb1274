"""What ``tiebreak bias`` prints for a reader."""

from __future__ import annotations

from core.cli.figures import p_value, percent
from core.services.bias.guideline_rules import RulesView
from core.services.bias.object_sizes import SizesView
from core.services.bias.selection_bias import ColumnTest, SelectionView
from core.services.bias.too_clean import TooCleanView
from core.stats.intervals import Estimate


def text_of(view: SelectionView, told: TooCleanView, sizes: SizesView) -> str:
    """Return how a dataset differs from its reference, in lines."""
    sets = view.sets
    lines = [
        f"{sets.here.project.slug} ({len(sets.here):,} pictures) against {sets.asked.against} "
        f"({len(sets.there):,}); {view.tested} columns tested, {len(view.differing)} differ.",
    ]
    if not sets.is_enough:
        return f"{lines[0]}\nNot enough data: each side needs {sets.asked.fewest} pictures."
    if sets.both:
        lines.append(f"{sets.both:,} pictures are in both.")
    lines += ["", f"{'column':<24} {'n':>13}  {'distance, 95 %':<26} {'adj. p':>8}"]
    lines += [_column_line(c) for c in view.columns]
    if view.holes:
        lines += ["", "Too few of:"]
        lines += [
            f"  {h.column} {h.cell.value}: {share(h.cell.there)} there, {share(h.cell.here)} here; "
            f"{_number(h.missing)} more would give the same share"
            for h in view.holes[:20]
        ]
    notes = [*view.notes, *_unlooked(view)]
    return "\n".join([*lines, "", *_told_lines(told), *_size_lines(sizes), *notes])


def _unlooked(view: SelectionView) -> list[str]:
    if view.looked_alike or not view.could_look_alike:
        return []
    return ["Looks were not compared: the pictures have no embeddings; '--embed' makes them."]


def _column_line(c: ColumnTest) -> str:
    n = f"{c.here_n:,}/{c.there_n:,}"
    if c.p is None or c.adjusted_p is None:
        return f"{c.column[:24]:<24} {n:>13}  not enough data"
    more = (
        "" if c.medians is None else f"  median {c.medians[1]:.4g} there, {c.medians[0]:.4g} here"
    )
    return f"{c.column[:24]:<24} {n:>13}  {share(c.variation):<26} {p_value(c.adjusted_p):>8}{more}"


def _told_lines(told: TooCleanView) -> list[str]:
    if told.auc.value is None:
        return ["Not enough data to let a classifier tell both sets apart."]
    if not told.is_told:
        return [f"A classifier on {told.basis.value} cannot tell them apart: {share(told.auc)}."]
    lines = [
        f"A classifier on {told.basis.value} tells the reference's picture in {share(told.auc)} of "
        "pairs."
    ]
    if told.frames is not None and told.frames.frames.value is not None:
        lines.append(
            f"{_number(told.frames.frames)} of its pictures added would bring field-like ones from "
            f"{share(told.frames.here)} to {percent(told.frames.target, 0)}."
        )
    return lines


def _size_lines(sizes: SizesView) -> list[str]:
    lines = []
    for c in sizes.classes:
        name = c.label or "all classes"
        small, medium, large = (share(e) for e in c.coco)
        lines.append(
            f"{name}: {c.regions:,} regions; small {small}, medium {medium}, large {large}"
        )
    for h in sizes.holes[:10]:
        lines.append(
            f"  too few {h.label or 'regions'} of {percent(h.bin.low, 0)} to {percent(h.bin.high, 0)} of the "
            f"picture's side: {_number(h.missing)} more"
        )
    return [*(["", *lines] if lines else []), *sizes.notes]


def share(e: Estimate) -> str:
    """Return a share with its interval."""
    if e.value is None:
        return f"not enough data (n = {e.n:,})"
    if e.low is None or e.high is None:
        return f"{e.value * 100:.1f} %"
    return f"{e.value * 100:.1f} % ({e.low * 100:.1f} to {e.high * 100:.1f})"


def _number(e: Estimate) -> str:
    if e.value is None:
        return "no number"
    ends = (
        f"{e.low:,.0f}" if e.low is not None else "",
        f"{e.high:,.0f}" if e.high is not None else "",
    )
    return f"{e.value:,.0f} ({ends[0]} to {ends[1]})"


def rules_text(view: RulesView) -> str:
    """Return a guideline's rules and the limits proposed, in lines."""
    lines = []
    for f in view.figures:
        said = f.problem or f"{f.broken:,} of {f.measured:,} beyond, {share(f.share)}"
        lines.append(f"line {f.rule.line}: {f.rule.text}: {said}")
    if not view.figures:
        lines.append(
            "The guideline has no rules: write them into a block that begins with ```rules."
        )
    lines += [b.why for b in view.refused]
    if view.unmeasured:
        lines.append(f"{view.unmeasured:,} of {view.items:,} pictures are not measured.")
    for x in view.limits:
        if x.is_sure and x.found is not None:
            limit = x.found.limit
            lines.append(
                f"proposed: {x.line} (the limit lies between {limit.low:.4g} and {limit.high:.4g}): "
                f"beyond it {share(x.found.outside)} went wrong, within {share(x.found.inside)}"
            )
    if not any(x.is_sure for x in view.limits):
        lines.append("No limit is proposed: nothing surely goes wrong more often beyond one.")
    return "\n".join(lines)
