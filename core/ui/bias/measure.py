"""Measuring the images of a project from the bias page, watched while it runs."""

from __future__ import annotations

import streamlit as st

from core.services.bias.embedding import Embedded, embed_sets
from core.services.bias.measured import Measured, measure_items
from core.services.bias.reference_sets import ReferenceAsk
from core.ui import background, states, widgets
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.theme import draw

WORK = "bias.measuring"


def draw_measuring(page: PageContext, unmeasured: int, slug: str = "") -> None:
    """Offer to measure what was not measured yet, or show how far that is.

    Args:
        page: The page.
        unmeasured: Images of the project that were not measured.
        slug: The project, where it is not the page's own.
    """
    work: background.Work[Measured] | None = st.session_state.get(f"{WORK}.{slug or page.slug}")
    if work is not None:
        _watch(slug or page.slug)
        return
    if not unmeasured:
        return
    left, right = st.columns([4, 1], vertical_alignment="center")
    text = many(
        "{n} image was not measured yet: brightness, contrast, sharpness, colour and size.",
        "{n} images were not measured yet: brightness, contrast, sharpness, colour and size.",
        unmeasured,
    )
    text = f"{slug}: {text}" if slug else text
    with left:
        draw("<div class='tb-banner' style='margin:0'><span>{t}</span></div>", t=text)
    right.button(
        _("Measure images"), key=f"bias.measure.{slug}", icon=":material/straighten:",
        width="stretch", on_click=_begin, args=(page, slug or page.slug),
    )  # fmt: skip


def draw_embedding(page: PageContext, asked: ReferenceAsk, looked_alike: bool) -> None:
    """Offer to embed the pictures of a comparison where that was not done, or show how far it is."""
    work: background.Work[Embedded] | None = st.session_state.get(_embedding(page.slug))
    if work is not None:
        _watch_embedding(page.slug)
        return
    if looked_alike:
        return
    left, right = st.columns([4, 1], vertical_alignment="center")
    text = _(
        "What pictures look like is not compared yet: they have no embeddings. It takes from seconds to "
        "some minutes."
    )
    with left:
        draw("<div class='tb-banner' style='margin:0'><span>{t}</span></div>", t=text)
    ws, actor, slug = page.ws, page.actor, page.slug

    def begin() -> None:
        st.session_state[_embedding(slug)] = background.start(
            lambda work: embed_sets(ws, actor, slug, asked, work.report)
        )

    right.button(
        _("Embed pictures"), key="bias.embed", icon=":material/scatter_plot:", width="stretch",
        on_click=begin,
    )  # fmt: skip


def _embedding(slug: str) -> str:
    return f"bias.embedding.{slug}"


@st.fragment(run_every=1.0)
def _watch_embedding(slug: str) -> None:
    work: background.Work[Embedded] | None = st.session_state.get(_embedding(slug))
    if work is None:
        return
    if not work.over.is_set():
        phases = {
            "teaching a network": _("Teaching a network"),
            "embedding": _("Embedding pictures"),
        }
        said = phases.get(work.phase, _("Looking for the pictures"))
        widgets.progress(work.done, work.total, work.seconds_left, said)
        widgets.caption(_("You may leave this page; it goes on."))
        return
    del st.session_state[_embedding(slug)]
    if work.error is not None:
        states.error(work.error, inline=True)
        return
    if work.result is not None and work.result.notice:
        widgets.flash(work.result.notice, "warning")
    st.rerun(scope="app")


def _begin(page: PageContext, slug: str) -> None:
    ws, actor = page.ws, page.actor
    st.session_state[f"{WORK}.{slug}"] = background.start(
        lambda work: measure_items(ws, actor, slug, work.report)
    )


@st.fragment(run_every=1.0)
def _watch(slug: str) -> None:
    key = f"{WORK}.{slug}"
    work: background.Work[Measured] | None = st.session_state.get(key)
    if work is None:
        return
    if not work.over.is_set():
        widgets.progress(work.done, work.total, work.seconds_left, _("Measuring images"))
        return
    del st.session_state[key]
    if work.error is not None:
        states.error(work.error, inline=True)
        return
    if work.result is not None and work.result.unreadable:
        widgets.flash(
            many(
                "{n} image could not be read and was left out.",
                "{n} images could not be read and were left out.",
                work.result.unreadable,
            ),
            "warning",
        )
    st.rerun(scope="app")
