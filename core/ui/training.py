"""What the retrain page draws: readiness, a job under way, how it ended, a model and its ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core.access import Actor
from core.analytics.figures import FEWEST
from core.jobs.rows import Job, JobStatus
from core.services.models.promotion import ModelView
from core.services.models.training import Readiness
from core.services.models.watching import Device, device_here, run_figures
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate
from core.ui import charts, states, widgets
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.learning_charts import run_curve
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.tokens import GOOD, WARN
from core.ui.widgets import figure, muted, table, when

PHASES = {
    "": mark("Under way"),
    "waiting to start": mark("Waiting to start"),
    "starting": mark("Starting"),
    "weights": mark("Getting the network's weights"),
    "self-training": mark("Training a small network on these images"),
    "embed": mark("Looking at every image"),
    "fit": mark("Learning from the labels"),
    "warm-up": mark("Trying what is quickest here"),
    "search": mark("Searching rates and strength"),
    "fine-tune": mark("Teaching the network"),
    "evaluate": mark("Evaluating"),
    "predict": mark("Predicting"),
    "save": mark("Saving"),
}

NETWORKS = {
    "mobilenet_v2": "MobileNet V2",
    "resnet18": "ResNet-18",
    "efficientnet_b0": "EfficientNet-B0",
    "resnet50": "ResNet-50",
    "tiny": mark("Small network"),
    "fasterrcnn_mobilenet_v3_large_320_fpn": "Faster R-CNN, MobileNet V3",
    "fasterrcnn_resnet50_fpn_v2": "Faster R-CNN, ResNet-50",
    "retinanet_resnet50_fpn_v2": "RetinaNet, ResNet-50",
    "fcos_resnet50_fpn": "FCOS, ResNet-50",
    "maskrcnn_resnet50_fpn_v2": "Mask R-CNN, ResNet-50",
    "keypointrcnn_resnet50_fpn": "Keypoint R-CNN, ResNet-50",
}

METRICS = {
    "accuracy": mark("Accuracy so far"),
    "loss": mark("Loss"),
    "images_per_second": mark("Images a second"),
    "epoch": mark("Epoch"),
    "batch": mark("Batch"),
}
HIDDEN = {"epochs"}
"""Figures of a run that say nothing by themselves."""

SCORES = ("accuracy", "map50", "ap50")
"""What a report calls how right a model is: of classes, and of detectors."""

CURVES = {
    "loss": mark("Loss"),
    "judged_loss": mark("Loss on held-out labels"),
    "accuracy": mark("Accuracy on held-out labels"),
    "map50": mark("AP at IoU 0.5"),
}

GROUNDS = {
    "evaluate": mark("On items drawn at random before labelling and never learnt from."),
    "all others": mark("On all labelled items that were not learnt from."),
    "cross-validated": mark(
        "Cross-validated on the training labels, because too few are held out."
    ),
    "held-out": mark("On training labels kept back from learning, because too few are held out."),
    "none": mark("Too few labels to evaluate."),
}

ENDS = {
    JobStatus.FAILED: mark("The last run failed"),
    JobStatus.LOST: mark("The last run was lost"),
    JobStatus.CANCELLED: mark("The last run was cancelled"),
}

SENTENCES = {
    JobStatus.FAILED: mark("It left no reason. The server's log may tell more."),
    JobStatus.LOST: mark(
        "Its process is gone, perhaps with a restart of the server. Start it again."
    ),
    JobStatus.CANCELLED: mark("Somebody stopped it. Nothing of it is in force."),
}

MODES = {
    "probe": mark("Last layer on frozen features"),
    "fine-tune": mark("Fine-tuned"),
    "student": mark("Noisy Student"),
}

KINDS = {"train": mark("Training"), "prelabel": mark("Pre-labelling")}


def draw_readiness(ready: Readiness, classes: int) -> None:
    """Draw what there is to learn from."""
    shown = (
        (_("Labels to learn from"), f"{ready.labels:,}", _("items drawn for training")),
        (_("Classes with labels"), f"{ready.classes_with_labels} / {classes}", ""),
        (_("New since the last model"), f"{ready.new_since_model:,}", _("labels")),
    )
    for column, (name, value, note) in zip(st.columns(3), shown, strict=True):
        with column:
            draw(
                "<div class='tb-figure'><div class='tb-label'>{name}</div>"
                "<div class='tb-value'>{value}</div><div class='tb-note'>{note}</div></div>",
                name=name, value=value, note=note or "\u00a0",
            )  # fmt: skip


def draw_job(job: Job, now: float) -> None:
    """Draw a job under way: what it is doing, how far, how long yet, figures so far."""
    phase = PHASES.get(job.phase)
    name = _(phase) if phase else job.phase
    kind = _(KINDS.get(job.kind, job.kind))
    head = _("{kind} is being stopped") if job.cancel_requested else _("{kind} is under way")
    lasted = widgets.duration(now - (job.started_at or job.at))
    started = _("Run {n}, started {time} ago").format(n=job.id, time=lasted)
    card_head(head.format(kind=kind), " · ".join(t for t in (started, told_to(job.config)) if t))
    widgets.progress(job.done, job.total, job.seconds_left, name)
    found = {k: v for k, v in job.metrics.items() if isinstance(v, int | float) and k not in HIDDEN}
    if found:
        widgets.chips({f"{_metric(k)}: {_metric_value(k, float(v))}": "" for k, v in found.items()})


def told_to(config: Mapping[str, Any]) -> str:
    """Return what a run was told, in a line: network, way of learning, labels, seed or model."""
    name = str(config.get("backbone") or "")
    mode = MODES.get(str(config.get("mode") or ""))
    parts = [
        network_name(name),
        _(mode) if mode else "",
        str(config.get("dataset_version") or ""),
    ]
    if config.get("resume_of"):
        parts.append(_("goes on from run {n}").format(n=config["resume_of"]))
    if config.get("seed"):
        parts.append(_("seed {n}").format(n=config["seed"]))
    if config.get("general"):
        parts.append(_("general model {name}").format(name=config["general"]))
    if config.get("model_id"):
        parts.append(_("model {n}").format(n=config["model_id"]))
    return " · ".join(p for p in parts if p)


def draw_device(device: Device) -> None:
    """Say what a run works on here: the graphics card, or the processor where there is none."""
    parts = [device.name]
    if device.gpu and device.count > 1:
        parts[0] += f" × {device.count}"
    if device.total_mb:
        used = "" if device.memory_mb is None else f"{device.memory_mb / 1024:.1f} / "
        parts.append(_("{used}{total} GB of memory").format(
            used=used, total=f"{device.total_mb / 1024:.0f}"
        ))  # fmt: skip
    if device.busy is not None:
        parts.append(_("{share} busy").format(share=f"{100 * device.busy:.0f} %"))
    draw(
        "<div class='tb-muted tb-small'><i class='tb-icon' style='vertical-align:-.18em' aria-hidden='true'>{icon}</i> {t}</div>",
        icon="memory", t=" · ".join(parts),
    )  # fmt: skip


def draw_run_figures(ws: Workspace, actor: Actor, job: Job) -> None:
    """Draw the curve a run under way has written so far, and the device it works on."""
    rows = run_figures(ws, actor, job.id)
    if len(rows) > 1:
        names = {k: _(v) for k, v in CURVES.items() if any(k in r for r in rows)}
        last = {k: rows[-1].get(k) for k in names}
        alt = ", ".join(f"{names[k]}: {v}" for k, v in last.items())
        draw_chart(run_curve(rows, names), f"retrain.curve.{job.id}", alt)
    elif job.phase == "fine-tune":
        widgets.caption(_("The curve begins when held-out labels were judged twice."))
    draw_device(device_here())


def _metric(name: str) -> str:
    known = METRICS.get(name)
    return _(known) if known else name.replace("_", " ")


def _metric_value(name: str, value: float) -> str:
    return charts.amount(value, "%" if "accuracy" in name else "")


def draw_ended(job: Job) -> None:
    """Say how a job ended that did not reach its goal, with the sentence it left."""
    kind = _(KINDS.get(job.kind, job.kind))
    text = job.error or _(SENTENCES[job.status])
    draw(
        "<div class='tb-banner' role='status'><i class='tb-icon' aria-hidden='true'>{icon}</i>"
        "<span><b>{title}</b> <span class='tb-muted'>{what}</span><br>{text}</span></div>",
        icon="cancel" if job.status is JobStatus.CANCELLED else "error",
        title=_(ENDS[job.status]),
        what=f"{kind}, {_('run {n}').format(n=job.id)}, {when(job.finished_at or job.at)}",
        text=text,
    )


# --- a model ----------------------------------------------------------------------------------


def draw_model(model: ModelView, titles: Mapping[str, str]) -> None:
    """Draw how good a model is: in all, by class, on which grounds, and what to know about it.

    Args:
        model: The model.
        titles: What each question of the project is called, by its key.
    """
    evaluation = _part(model.report, "eval")
    e = estimate_of(evaluation)
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        name = (
            _("Model {n} is right")
            if "map50" not in evaluation
            else _("Model {n}: mean AP at IoU 0.5")
        )
        figure(name.format(n=model.id), e.value, e.n, e.low, e.high, "%")
        draw(
            "<div class='tb-muted tb-small' style='margin:.35rem 0 .8rem'>{t}</div>",
            t=_(GROUNDS.get(str(evaluation.get("on")), mark("Grounds not recorded"))),
        )
        _facts(model, titles)
    with right:
        rows = [Dot(str(r["label"]), (estimate_of(r),)) for r in _rows(model.report)]
        if not rows:
            states.empty(_("Not enough data"), _("No class could be evaluated."))
            return
        what = _("A dot is the share right, the line its 95 % interval.")
        if "map50" in evaluation:
            what = _(
                "A dot is the average precision, the line its 95 % interval; n counts regions."
            )
        card_head(_("By true class"), what)
        alt = "; ".join(f"{r.label}: {charts.sentence(r.estimates[0])}" for r in rows)
        draw_chart(charts.dots(rows), f"retrain.model.{model.id}", alt)


def draw_notice(model: ModelView) -> None:
    """Show what a person should know about how the model was made, where there is something."""
    notice = str(model.report.get("notice") or "")
    if notice:
        draw(
            "<div class='tb-banner' role='note'><i class='tb-icon' aria-hidden='true'>info</i>"
            "<span>{t}</span></div>",
            t=notice,
        )


def _facts(model: ModelView, titles: Mapping[str, str]) -> None:
    report = model.report
    trained = report.get("n_train")
    facts = {
        _("Network"): _network(model),
        _("Labels"): model.dataset_version
        + (f" · {many('{n} label', '{n} labels', int(str(trained)))}" if trained else ""),
        _("Trained"): when(model.at),
        _("Device"): _device(str(report.get("device") or "")),
    }
    seconds = report.get("seconds")
    if isinstance(seconds, int | float) and seconds:
        facts[_("Took")] = widgets.duration(float(seconds))
    for key, found in _part(report, "questions").items():
        if isinstance(found, Mapping):
            facts[_(titles.get(key, key))] = charts.sentence(estimate_of(found))
    rows = join(
        fill(
            "<div style='display:flex;gap:.6rem;margin:.28rem 0'>"
            "<span class='tb-muted' style='width:5.2rem;flex:none'>{name}</span><span>{value}</span></div>",
            name=name,
            value=value,
        )
        for name, value in facts.items()
    )
    draw("<div class='tb-small'>{rows}</div>", rows=rows)


def network_name(code: str) -> str:
    """Return what a network is called."""
    return _(NETWORKS.get(code, code))


def _network(model: ModelView) -> str:
    own = model.report.get("weights") == "self-trained"
    name = network_name(model.backbone)
    return f"{name} · {_('trained here')}" if own else name


def _device(name: str) -> str:
    """Return where a model was trained in words; torch's own names begin with cpu or cuda."""
    if name.startswith("cpu"):
        return _("Processor (CPU)")
    if name.startswith("cuda"):
        return _("Graphics card (GPU)")
    return name or "–"


def draw_rival(model: ModelView | None) -> None:
    """Say how good the model in force is, for whoever is about to replace it."""
    if model is not None:
        e = estimate_of(_part(model.report, "eval"))
        widgets.caption(
            _("In force now: model {n}, right on {figure}.").format(
                n=model.id, figure=charts.sentence(e)
            )
        )


def draw_ledger(models: Sequence[ModelView]) -> None:
    """Draw every model there is, newest first."""
    head = (_("Model"), _("Trained"), _("Network"), _("Labels"), _("Right"), "")
    table(head, [_ledger_row(m) for m in models], _("Models"))


def _ledger_row(model: ModelView) -> list[Markup | str]:
    right = right_of(_part(model.report, "eval"))
    chip = widgets.chip(_("in force"), GOOD) if model.promoted else Markup()
    if model.stale:
        chip = fill("{a} {b}", a=chip, b=widgets.chip(_("stale"), WARN))
    return [
        fill("<b>{n}</b>", n=_("Model {n}").format(n=model.id)),
        when(model.at),
        _network(model),
        model.dataset_version,
        right,
        chip,
    ]


def right_of(found: Mapping[str, object]) -> Markup:
    """Return how right a model is, from its report, with interval and n below it."""
    e = estimate_of(found)
    if e.value is None:
        return muted(f"{_('not enough data')} (n = {e.n:,})")
    return fill(
        "{value}{what}<div class='tb-muted tb-small'>{rest}n = {n}</div>",
        value=charts.amount(e.value, "%"),
        what=f" {_('AP')}" if "map50" in found else "",
        rest=charts.interval(e),
        n=f"{e.n:,}",
    )


def estimate_of(found: Mapping[str, object]) -> Estimate:
    """Return a figure of a report as an estimate, undefined where it rests on too little."""
    value = next((v for k in SCORES if (v := _number(found.get(k))) is not None), None)
    n = int(_number(found.get("n")) or 0)
    if value is None or n < FEWEST:
        return replace(UNDEFINED, n=n)
    return Estimate(value, _number(found.get("low")), _number(found.get("high")), n)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _part(report: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = report.get(name)
    return part if isinstance(part, Mapping) else {}


def _rows(report: Mapping[str, object]) -> list[Mapping[str, object]]:
    rows = report.get("per_class")
    return [r for r in rows if isinstance(r, Mapping)] if isinstance(rows, list | tuple) else []
