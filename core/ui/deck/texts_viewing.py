"""What is said around the image itself: on its way, zoom, light, channels, whose votes lie over it."""

from __future__ import annotations

from core.ui.text import _


def away_texts() -> dict[str, str]:
    """Return what is said while the picture is not here."""
    return {
        "away": _("The picture is on its way: no connection."),
        "awaySignedOut": _("The picture is on its way: you were signed out."),
        "awayFaulty": _("The picture is not here yet: the server has a fault with it."),
        "awayAdvice": _("It appears by itself. What you decide is kept."),
    }


def viewing_texts() -> dict[str, str | dict[str, str]]:
    """Return the texts of the stage: zoom, light, channels."""
    return {
        "stage": _("Image"),
        "zoom": _("Zoom and view"),
        "coarse": _("Finer detail could not be loaded here"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "fit": _("Fit"),
        "toggleFit": _("Whole image or 100 %"),
        "adjust": _("Brightness, contrast and view"),
        "sliders": {
            "brightness": _("Brightness"),
            "contrast": _("Contrast"),
            "gamma": _("Gamma"),
            "opacity": _("Overlay"),
        },
        "altered": _("{name} {value}"),
        "sharp": _("Sharp pixels when enlarged"),
        "keepZoom": _("Keep the zoom for the next image"),
        "resetView": _("Reset"),
        "closeView": _("Close"),
        "channelOf": _("Channel {n} of {all}: {name}"),
        "allChannels": _("All channels"),
        "nextChannel": _("Channels one by one"),
        "colours": {"R": _("red"), "G": _("green"), "B": _("blue")},
        "overlayHidden": _("Overlay hidden"),
    }


def votes_texts(shapes: bool = False) -> dict[str, str | dict[str, str]]:
    """Return the texts of the votes over a disputed image.

    Args:
        shapes: Whether something else than boxes is drawn.
    """
    return {
        **viewing_texts(),
        "loading": _("Loading…"),
        "broken": _("This image cannot be shown"),
        "brokenAdvice": _("You can still rule on it by what was said of it."),
        **away_texts(),
        "awayAdvice": _("It appears by itself."),
        "tryAgain": _("Try again"),
        "boxes": _("Regions: {n}") if shapes else _("Boxes: {n}"),
        "noBoxes": _("No regions") if shapes else _("No boxes"),
        "noneOfThem": _("none of them"),
        "only": _("Show only this one"),
        "all": _("Show all"),
    }
