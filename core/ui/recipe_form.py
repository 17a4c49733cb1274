"""A recipe on the retrain page: choose one, turn its knobs, see it on the project's own images."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.errors import TiebreakError
from core.services.models.recipes_preview import (
    NAMED,
    PreviewRow,
    Recipe,
    balance_of,
    preview_recipe,
    recipe_from,
)
from core.ui import states
from core.ui.charts import card_head
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import caption

RECIPES = {
    "none": mark("As they are"),
    "light": mark("Light"),
    "standard": mark("Standard"),
    "strong": mark("Strong"),
}

KNOBS: Mapping[str, tuple[str, str]] = {
    "crop": (mark("Crop keeps at least"), mark("Least share of the image a random crop keeps.")),
    "flip": (mark("Mirror"), mark("Chance of a mirror image.")),
    "upside_down": (mark("Upside down"), mark("Only for images that have no up.")),
    "rotate": (mark("Turn"), mark("Largest turn, as a share of a half turn.")),
    "resize": (mark("Scale"), mark("Largest change of scale.")),
    "brightness": (mark("Brightness"), mark("Largest change.")),
    "contrast": (mark("Contrast"), mark("Largest change.")),
    "colour": (mark("Colour"), mark("Largest change of saturation and hue.")),
    "cutout": (mark("Cutout"), mark("Chance that a square is blotted out.")),
    "gridmask": (mark("Grid mask"), mark("Chance that a grid of squares is blotted out.")),
    "mixup": (mark("Mixup"), mark("Two images shine through each other; 0 for never.")),
    "cutmix": (mark("CutMix"), mark("A part of another image is pasted in; 0 for never.")),
}

KNOB_COLUMNS = 3
MOST_CLASSES = 12

BALANCES = {
    "none": mark("As the labels are"),
    "over": mark("Rare classes more often"),
    "under": mark("Common classes less often"),
    "loss": mark("Rare classes weigh more"),
}


def draw_recipe(page: PageContext) -> Recipe:
    """Draw the choice of a recipe with its preview and return what is chosen."""
    left, right = st.columns(2, gap="large")
    with left:
        name = st.segmented_control(
            _("How images are varied"), list(RECIPES), default="standard",
            format_func=lambda c: _(RECIPES[c]), key="recipe.name",
        )  # fmt: skip
    with right:
        balance = st.selectbox(
            _("Balance of classes"), list(BALANCES), format_func=lambda c: _(BALANCES[c]),
            key="recipe.balance", help=_("What is done where some classes have few labels."),
        )  # fmt: skip
    start = NAMED[name or "standard"]
    with st.expander(_("Each knob by itself")):
        columns = [*st.columns(KNOB_COLUMNS, gap="large")]
        turned = {}
        for place, key in enumerate(KNOBS):
            with columns[place % KNOB_COLUMNS]:
                turned[key] = _knob(key, name or "standard", start)
    chosen = recipe_from({**start.to_dict(), **turned, "balance": balance})
    _balance(page)
    _preview(page, chosen)
    return chosen


def _knob(key: str, name: str, start: Recipe) -> float:
    title, told = KNOBS[key]
    # Named with the recipe: choosing another one starts from its own values.
    return float(
        st.slider(
            _(title), 0.0, 1.0, float(getattr(start, key)), 0.05, key=f"recipe.{name}.{key}",
            help=_(told),
        )
    )  # fmt: skip


def _balance(page: PageContext) -> None:
    found = balance_of(page.ws, page.actor, page.slug)
    most = sorted(found.counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if sum(found.counts.values()):
        said = ", ".join(f"{name} {n:,}" for name, n in most[:MOST_CLASSES])
        more = " …" if len(most) > MOST_CLASSES else ""
        caption(_("Training labels: {text}").format(text=said + more))
    if found.advice:
        caption(found.advice)


def _preview(page: PageContext, chosen: Recipe) -> None:
    if not st.toggle(
        _("Preview on images of this project"), key="recipe.preview",
        help=_("Four images, each as it is and as training would see it."),
    ):  # fmt: skip
        return
    seed = int(st.session_state.get("recipe.seed", 0))
    try:
        with st.spinner(_("Varying…")):
            rows = preview_recipe(page.ws, page.actor, page.slug, chosen, seed=seed)
    except TiebreakError as problem:
        states.error(problem, inline=True)
        return
    if not rows:
        states.empty(_("No image to show"), _("No image for training could be read."))
        return
    card_head(_("Preview"), _("Left: the image itself. Then as training would see it."))
    draw("<div class='tb-preview'>{rows}</div>", rows=join(_row(r) for r in rows))
    if st.button(_("Other chances"), icon=":material/casino:", key="recipe.again"):
        st.session_state["recipe.seed"] = seed + 1
        st.rerun()


def _row(row: PreviewRow) -> Markup:
    pictures = join(
        fill(
            "<img src='{src}' alt='{alt}'>", src=src,
            alt=row.name if n == 0 else _("{name}, varied").format(name=row.name),
        )
        for n, src in enumerate(row.pictures)
    )  # fmt: skip
    return fill("<div class='tb-preview-row'>{p}</div>", p=pictures)
