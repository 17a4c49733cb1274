"""The deck's modules: their pure core under node, their texts, their manners."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core.services.review import FLAG_REASONS, SKIP_REASONS
from core.ui.deck import STATIC, texts

NODE_TESTS = sorted(Path(__file__).with_name("deck").glob("*.test.mjs"))
MODULES = sorted(STATIC.glob("*.js"))


def test_the_pure_core_holds_under_node() -> None:
    """Keys, active time, outbox, window, undo, answers and Markdown do as their own tests say."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    done = subprocess.run(
        [node, "--test", *map(str, NODE_TESTS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("module", MODULES, ids=lambda p: p.name)
def test_no_module_makes_markup_from_text(module: Path) -> None:
    """Label text is hostile: it only ever goes in as text."""
    source = module.read_text(encoding="utf-8")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in source, forbidden


def test_every_text_a_module_asks_for_exists() -> None:
    """No reader ever sees 'undefined'."""
    deck, votes = texts.deck_texts(), texts.votes_texts()
    for module in MODULES:
        asked = set(re.findall(r"\btexts\.(\w+)", module.read_text(encoding="utf-8")))
        known = votes if module.name == "votes.js" else deck
        assert asked <= set(known), (module.name, asked - set(known))


def test_every_text_is_used() -> None:
    """Translators are given nothing that is never shown."""
    sources = "\n".join(m.read_text(encoding="utf-8") for m in MODULES)
    for name in {**texts.deck_texts(), **texts.votes_texts()}:
        assert f"texts.{name}" in sources, name


def test_every_reason_has_words() -> None:
    """Each stable code of the services has a text of its own."""
    assert [c for c, _ in texts.skip_reasons()] == list(SKIP_REASONS)
    assert [c for c, _ in texts.flag_reasons()] == list(FLAG_REASONS)
    assert texts.flag_words("duplicate: of 7").endswith(": of 7")
    assert texts.flag_words("free words") == "free words"


def test_the_deck_takes_no_key_that_streamlit_owns() -> None:
    """C and R stay Streamlit's, and the help sheet names only keys the deck knows."""
    letters = re.search(r"const LETTERS = \{(.*?)\}", (STATIC / "keys.js").read_text(), re.DOTALL)
    assert letters is not None
    known = set(re.findall(r"(\w):", letters.group(1)))
    assert not known & {"c", "r"}
    for boxes, more in itertools.product((True, False), repeat=2):
        shown = {k for keys, _ in texts.key_sheet(boxes, more) for k in keys.split()}
        assert {k.lower() for k in shown if len(k) == 1 and k.isalpha()} <= known | {"z"}


@pytest.mark.parametrize("boxes", [True, False])
def test_the_help_promises_the_next_image_only_where_it_comes(boxes: bool) -> None:
    """With a further question, an answer leads to that question first."""
    for more in (True, False):
        ends = [t for keys, t in texts.key_sheet(boxes, more) if keys in ("A Enter", "1 – 0")]
        assert ends
        assert all(("next question or image" in t) is more for t in ends)
