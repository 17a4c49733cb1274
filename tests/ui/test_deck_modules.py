"""The deck's modules: their pure core under node, their texts, their manners."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core.queue.plan import Order
from core.services.accounts.keymap import COMMANDS
from core.services.review.submission import FLAG_REASONS, SKIP_REASONS
from core.ui import deck
from core.ui.deck import STATIC, texts
from core.ui.deck.suspicious import suspicious_texts
from core.ui.deck.texts_keys import command_text, key_sheet
from core.ui.deck.texts_reasons import flag_reasons, flag_words, skip_reasons
from core.ui.deck.texts_ruling import ruling_texts
from core.ui.deck.texts_viewing import votes_texts
from core.ui.grid.texts import grid_texts

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
    deck, ruling = texts.deck_texts(), ruling_texts()
    own = {
        "votes.js": votes_texts(),
        "suspicious.js": suspicious_texts(),
        "suspicious_model.js": suspicious_texts(),
        "ruling.js": ruling,
        "ruling_help.js": ruling,
        "ruling_model.js": ruling,
        "lookalikes.js": ruling,
    }
    for module in MODULES:
        asked = set(re.findall(r"\btexts\.(\w+)", module.read_text(encoding="utf-8")))
        known = {"dispute.js": ruling, **own}.get(module.name, deck)
        if module.name.startswith("grid") or module.name == "search.js":
            assert asked <= set(grid_texts()), (module.name, asked - set(grid_texts()))
            known = {**known, **grid_texts()}
        if module.name == "search.js":
            assert asked <= set(ruling), asked - set(ruling)
        assert asked <= set(known), (module.name, asked - set(known))


def test_every_text_is_used() -> None:
    """Translators are given nothing that is never shown."""
    sources = "\n".join(m.read_text(encoding="utf-8") for m in MODULES)
    for name in {**texts.deck_texts(), **votes_texts(), **grid_texts(), **ruling_texts()}:
        assert f"texts.{name}" in sources, name


def test_every_reason_has_words() -> None:
    """Each stable code of the services has a text of its own."""
    assert [c for c, _ in skip_reasons()] == list(SKIP_REASONS)
    assert [c for c, _ in flag_reasons()] == list(FLAG_REASONS)
    assert flag_words("duplicate: of 7").endswith(": of 7")
    assert flag_words("free words") == "free words"


def test_the_help_tells_of_every_command_once() -> None:
    """Whatever a project has, a row names commands that exist, and none is told twice."""
    shown: set[str] = set()
    for boxes, more, several, many, grid in itertools.product((True, False), repeat=5):
        groups = key_sheet(boxes, more, several, many, grid)
        rows = [(commands, text) for _, rows in groups for commands, text in rows]
        named = [c for commands, _ in rows for c in commands]
        assert set(named) <= set(COMMANDS)
        assert len(named) == len(set(named)) + (named.count("choose0") - 1)
        shown |= set(named)
    assert shown == set(COMMANDS)


def test_settings_and_refusals_call_a_command_the_same() -> None:
    """The sentence of a conflict names what the reader sees beside the field."""
    assert {n: command_text(n) for n in COMMANDS} == {n: c.title for n, c in COMMANDS.items()}


def test_every_order_of_the_queue_has_words() -> None:
    """What the server can order by can be chosen, and nothing else."""
    assert {code for code, _ in texts.order_texts()} == set(Order)


def test_python_and_the_deck_agree_on_many() -> None:
    """From the same number of classes on they are searched instead of listed."""
    flow = (STATIC / "flow.js").read_text(encoding="utf-8")
    assert f"export const MANY = {deck.MANY};" in flow


@pytest.mark.parametrize("boxes", [True, False])
def test_the_help_promises_the_next_image_only_where_it_comes(boxes: bool) -> None:
    """With a further question, an answer leads to that question first."""
    for more in (True, False):
        rows = key_sheet(boxes, more)[0][1]
        ends = [t for commands, t in rows if commands == ["accept"] or len(commands) == 10]
        assert ends
        assert all(("next question or image" in t) is more for t in ends)


@pytest.mark.parametrize("more", [True, False])
def test_nobody_who_outlines_reads_of_boxes(more: bool) -> None:
    """Where polygons, keypoints or masks are drawn the deck speaks of regions, everywhere."""
    boxed = {**texts.deck_texts(), **grid_texts()}
    shaped = {**texts.deck_texts(shapes=True), **grid_texts(shapes=True)}
    assert boxed.keys() == shaped.keys()
    told = [t for t in shaped.values() if isinstance(t, str)]
    told += [t for _, rows in key_sheet(True, more, shapes=True) for _, t in rows]
    assert not [t for t in told if re.search(r"\bbox(es)?\b", t, re.IGNORECASE)]
