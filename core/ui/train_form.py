"""Starting a run on the retrain page: labels, network, way of learning, recipe, and what it runs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.jobs.rows import Job, JobStatus
from core.labels.region import Shape
from core.labels.schema import Task
from core.services.models import training
from core.services.models.datasets import VersionView
from core.services.models.options import TrainingOptions
from core.services.models.recipes_preview import Recipe
from core.services.models.training import Readiness
from core.services.models.watching import device_here
from core.ui import training as shown
from core.ui.choices import choose
from core.ui.recipe_form import draw_recipe
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.widgets import attempt, caption

USUAL_MINUTES = {Shape.BOX: 3.3}
"""Of a detector on two cores; of one that also says shapes, more."""
MOST_MINUTES = 9.0
GENERAL = {
    Task.CLASSIFICATION: "mobilenet_v2",
    Task.BOXES: "fasterrcnn_mobilenet_v3_large_320_fpn",
}
NOW = ""
"""Stands for the labels in force, frozen as the run starts."""

BACKBONES = {
    "mobilenet_v2": mark("MobileNet V2: quick, a good start"),
    "resnet18": mark("ResNet-18: a little slower, robust"),
    "efficientnet_b0": mark("EfficientNet-B0: slower, often better"),
    "resnet50": mark("ResNet-50: slow without a GPU"),
}

DETECTORS: Mapping[Shape, Mapping[str, str]] = {
    Shape.BOX: {
        "fasterrcnn_mobilenet_v3_large_320_fpn": mark("Faster R-CNN, MobileNet V3: slower"),
        "fasterrcnn_resnet50_fpn_v2": mark("Faster R-CNN, ResNet-50: for a GPU"),
        "retinanet_resnet50_fpn_v2": mark("RetinaNet, ResNet-50: for a GPU"),
        "fcos_resnet50_fpn": mark("FCOS, ResNet-50: for a GPU"),
    },
    Shape.POLYGON: {"maskrcnn_resnet50_fpn_v2": mark("Mask R-CNN, ResNet-50: for a GPU")},
    Shape.MASK: {"maskrcnn_resnet50_fpn_v2": mark("Mask R-CNN, ResNet-50: for a GPU")},
    Shape.KEYPOINTS: {"keypointrcnn_resnet50_fpn": mark("Keypoint R-CNN, ResNet-50: for a GPU")},
}
"""Detectors of torchvision for each shape, beside the one built on a network above."""

MODES = {
    "probe": mark("Last layer only"),
    "fine-tune": mark("Fine-tune"),
    "student": mark("Noisy Student"),
}
DETECTOR = "detector"
ABOUT = {
    "probe": mark(
        "The network stays as it is; only its last layer is learnt, which takes seconds."
    ),
    "fine-tune": mark("The whole network learns, which takes minutes to hours without a GPU."),
    "student": mark(
        "Fine-tuned, then taught again with its own sure answers on images without a label."
    ),
    "detector": mark(
        "A detector is built on the network and its last stages are taught, from few images on."
    ),
}


def draw_start(page: PageContext, jobs: Sequence[Job], versions: Sequence[VersionView]) -> None:
    """Draw what there is to learn from, how it is to be learnt, and the button that starts it."""
    if jobs and jobs[0].status not in (JobStatus.DONE, JobStatus.QUEUED, JobStatus.RUNNING):
        shown.draw_ended(jobs[0])
        _resume(page, jobs[0])
    ready = training.training_readiness(page.ws, page.actor, page.slug)
    shown.draw_readiness(ready, len(page.project.schema.classes) if page.project else 0)
    if ready.why_not:
        caption(ready.why_not)
    if not ready.labels and (name := _general(page)):
        words = _("No labels yet? A ready-made model can propose some: {command}")
        caption(words.format(command=f"tiebreak prelabel {page.slug} --general {name}"))
    one, two, three = st.columns([3, 3, 4])
    with one:
        version = _version(versions)
    with two:
        backbone = _backbone(page)
    with three:
        chosen = _mode(page)
        minutes = _minutes(_usual_minutes(page)) if chosen == DETECTOR else None
    caption(_(ABOUT[chosen]))
    recipe, search = None, None
    if chosen not in (DETECTOR, "probe"):
        recipe, minutes, search = _how(page)
    left, right = st.columns([2, 1], vertical_alignment="center")
    with left:
        shown.draw_device(device_here())
        caption(_advice(ready))
    with right:
        if st.button(
            _("Train now"), type="primary", key="retrain.start", icon=":material/model_training:",
            disabled=not ready.can_start, width="stretch",
        ):  # fmt: skip
            options = TrainingOptions(
                mode=None if chosen == DETECTOR else chosen, version=version or None, recipe=recipe, minutes=minutes,
                search_minutes=search,
            )  # fmt: skip
            attempt(
                lambda: training.start_training(
                    page.ws, page.actor, page.slug, backbone, options=options
                ),
                _("Training has started. You can leave this page."),
            )


def _general(page: PageContext) -> str:
    """Return a ready-made model that fits what the project asks; empty where none does."""
    if page.project is None or page.project.schema.main.several:
        return ""
    return GENERAL.get(page.project.task, "")


def _usual_minutes(page: PageContext) -> float:
    """Return how long a detector of what the project asks for usually learns."""
    shape = page.project.schema.task.shape if page.project else None
    return MOST_MINUTES if shape is None else USUAL_MINUTES.get(shape, MOST_MINUTES)


def _mode(page: PageContext) -> str:
    """Return how it learns; a detector leaves no choice."""
    if page.project is not None and page.project.task.draws:
        return DETECTOR
    modes = list(MODES)
    chosen = st.segmented_control(
        _("How it learns"), modes, default=modes[0], format_func=lambda c: _(MODES[c]),
        key="retrain.mode",
    )  # fmt: skip
    return chosen or modes[0]


def _version(versions: Sequence[VersionView]) -> str:
    names = {NOW: _("Those in force, frozen now")}
    names |= {v.name: f"{v.name} · {v.n_items:,}" for v in versions}
    return choose(
        _("Labels as of"), "version", names, NOW,
        _("A frozen version never changes, so the run can be repeated exactly."),
    )  # fmt: skip


def _backbone(page: PageContext) -> str:
    usual = page.ws.settings.backbone
    shape = page.project.task.shape if page.project else None
    offered = {**BACKBONES, **(DETECTORS.get(shape, {}) if shape else {})}
    names = {usual: usual, **{name: _(text) for name, text in offered.items()}}
    return choose(_("Network that looks at the images"), "network", names, usual)


def _how(page: PageContext) -> tuple[Recipe, float | None, float | None]:
    recipe = draw_recipe(page)
    left, right = st.columns(2)
    with left:
        minutes = _minutes(0.0)
    with right:
        search = st.number_input(
            _("Minutes of these to search rates and strength"), 0.0, 10_000.0, 0.0, 1.0,
            key="retrain.search",
            help=_("Learning rate, weight decay and strength of the recipe are tried out; 0 for none."),
        )  # fmt: skip
    return recipe, minutes, search or None


def _minutes(usual: float) -> float | None:
    found = st.number_input(
        _("Minutes it may take"), 0.0, 10_000.0, usual, 1.0, key="retrain.minutes",
        help=_("0 for as many as it wants. It keeps the best it found."),
    )  # fmt: skip
    return found or None


def _resume(page: PageContext, job: Job) -> None:
    left = job.kind == training.TRAIN and training.resumable(page.ws, [job])
    if left and st.button(
        _("Go on from its last checkpoint"), key="retrain.resume", icon=":material/resume:"
    ):
        attempt(
            lambda: training.start_training(
                page.ws, page.actor, page.slug, options=TrainingOptions(resume=job.id)
            ),
            _("The run goes on. You can leave this page."),
        )


def _advice(ready: Readiness) -> str:
    if ready.can_start and not ready.new_since_model:
        return _("No label is new since the last model: another run would learn the same.")
    return _("The labels in force are frozen first, so that the run can be repeated exactly.")
