"""Who said what over a disputed image: each party in a hue and dash of its own, names hidden."""

from __future__ import annotations

from collections.abc import Sequence

from core.labels import Answer
from core.labels.geometry import match_regions
from core.services.review.disputes import DisputeView
from core.services.review.vote_weights import VoteWeight
from core.services.visibility.views import PrelabelView
from core.ui.deck import Layer
from core.ui.text import _

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


def of_dispute(view: DisputeView, iou_at_least: float) -> tuple[Layer, ...]:
    """Return everybody's answer and the model's as layers, names hidden, each in its own look.

    Args:
        view: The dispute.
        iou_at_least: From which likeness on two regions are the same; what all voters share is drawn
            faintly, so that the eye goes to what differs.
    """
    answers = [vote.answer for vote in view.votes]
    found = [
        Layer(
            name=vote.alias,
            # Beyond the keys there are, a vote is taken by clicking.
            key=_VOTE_KEYS[n] if n < len(_VOTE_KEYS) else f"#{n + 1}",
            colour=_LOOKS[n % len(_LOOKS)][0],
            dash=_LOOKS[n % len(_LOOKS)][1],
            lines=(*weight_words(vote.weight), _vote_words(vote.seconds, vote.prelabel_shown)),
            answer=vote.answer,
            shared=shared_boxes(vote.answer, answers, iou_at_least),
        )
        for n, vote in enumerate(view.votes)
    ]
    model = view.item.prelabel
    if model is not None:
        found.append(
            Layer(
                name=_("Model"),
                key="M",
                colour=_MODEL_LOOK[0],
                dash=_MODEL_LOOK[1],
                lines=(_model_words(model),),
                answer=model.answer,
                shared=shared_boxes(model.answer, answers, iou_at_least),
                confidence=model.confidence,
                top=model.top,
            )
        )
    return tuple(found)


def shared_boxes(answer: Answer, others: Sequence[Answer], iou_at_least: float) -> tuple[bool, ...]:
    """Return for each region of an answer whether every one of the others has it too, as it is."""
    shared = [True] * len(answer.regions)
    for other in others:
        pairs = match_regions(answer.regions, other.regions, iou_at_least, same_attributes=True)
        matched = {i for i, _j, _iou in pairs}
        shared = [s and i in matched for i, s in enumerate(shared)]
    return tuple(shared) if len(others) > 1 else (False,) * len(answer.regions)


def weight_words(weight: VoteWeight | None) -> tuple[str, ...]:
    """Return in a line how often somebody was right saying the same before, on what evidence."""
    if weight is None:
        return ()
    share = weight.share
    if share.value is None or share.low is None or share.high is None:
        told = _("No record of this reviewer yet")
    else:
        source = _("on gold") if weight.source == "gold" else _("as settled")
        told = _("right {p} % ({low}–{high}), {n} {source}").format(
            p=_percent(share.value),
            low=_percent(share.low),
            high=_percent(share.high),
            n=f"n\u00a0=\u00a0{share.n:,}",
            source=source,
        )
        told = f"{weight.label}: {told}" if weight.label else told
    if weight.weight is None:
        return (told,)
    return (_("Weight {w}").format(w=f"{weight.weight:.2f}") + " · " + told,)


def _percent(share: float) -> str:
    return f"{share * 100:.0f}"


def _model_words(model: PrelabelView) -> str:
    margin = "" if model.margin is None else _("margin {p} %").format(p=_percent(model.margin))
    return " · ".join(p for p in (margin, model.model or model.source) if p)


def _vote_words(seconds: float | None, prelabel_shown: bool) -> str:
    time = _("{s} s").format(s=f"{seconds:.0f}") if seconds is not None else ""
    seen = _("saw the pre-label") if prelabel_shown else _("without the pre-label")
    return " · ".join(p for p in (time, seen) if p)
