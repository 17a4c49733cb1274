"""Texts in the reader's language."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import core.catalogue
from core.catalogue import catalogue, languages
from core.server.sign_in_page import SignInPage, preferred, render
from core.services.accounts.changing import set_language
from core.ui.text import _, many
from tests.pages.browser import Visit, words
from tests.pages.house import House

ROOT = Path(__file__).resolve().parents[2]
KOREAN = {"": "Content-Type: text/plain; charset=UTF-8\n", "Settings": "설정", "Sign in": "로그인"}


def _write_mo(path: Path, texts: dict[str, str]) -> None:
    """Write a compiled catalogue: header, two tables of (length, offset), the texts."""
    pairs = sorted((k.encode(), v.encode()) for k, v in texts.items())
    start = 28 + 16 * len(pairs)
    tables: list[list[int]] = [[], []]
    blob = b""
    for side in (0, 1):
        for pair in pairs:
            tables[side] += [len(pair[side]), start + len(blob)]
            blob += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(head + struct.pack(f"<{4 * len(pairs)}I", *tables[0], *tables[1]) + blob)


@pytest.fixture
def korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the app a small Korean catalogue."""
    _write_mo(tmp_path / "locale" / "ko" / "LC_MESSAGES" / "tiebreak.mo", KOREAN)
    monkeypatch.setattr(core.catalogue, "FOLDER", tmp_path / "locale")
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


def test_without_a_catalogue_the_source_is_read() -> None:
    """An unknown language, or none, reads English; numbers get their form."""
    assert _("Settings") == "Settings"
    assert catalogue("xx").gettext("Settings") == "Settings"
    assert (many("{n} image", "{n} images", 1), many("{n} image", "{n} images", 1200)) == (
        "1 image",
        "1,200 images",
    )


@pytest.mark.usefixtures("korean")
def test_each_person_reads_their_own_language(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people on the same server at the same time read different languages."""
    set_language(house.ws, house.actor("leo"), "ko")
    ours = Visit(house, monkeypatch, "leo")
    assert "<h1>설정</h1>" in words(ours.open("settings", project="leaves"))
    theirs = Visit(house, monkeypatch, "ada")
    assert "<h1>Settings</h1>" in words(theirs.open("settings", project="leaves"))
    assert languages() == {"en": "English", "ko": "한국어"}


@pytest.mark.usefixtures("korean")
def test_the_sign_in_page_follows_the_browser() -> None:
    """Before anybody is known, the browser's list of languages decides."""
    assert preferred("fr-FR, ko;q=0.8, en;q=0.5") == "ko"
    assert preferred("fr") == "en"
    page = render(SignInPage(base="", target="/", language="ko"))
    assert '<html lang="ko">' in page
    assert "로그인" in page


def test_only_one_module_writes_markup() -> None:
    """`st.html` stands in the theme alone, where values are escaped, and unsafe markdown nowhere."""
    found = []
    for file in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "core").rglob("*.py")]:
        text = file.read_text("utf-8")
        if "unsafe_allow_html" in text or re.search(r"\bst\.html\(", text):
            found.append(file.relative_to(ROOT).as_posix())
    assert found == ["core/ui/theme.py"]


def test_both_faces_of_the_app_share_their_colours() -> None:
    """The sign-in page, which Streamlit does not draw, uses the theme's surfaces and text."""
    import tomllib

    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    style = (ROOT / "core" / "server" / "account.css").read_text()
    for mode in ("light", "dark"):
        for name in ("backgroundColor", "textColor", "borderColor", "secondaryBackgroundColor"):
            assert theme[mode][name] in style, (mode, name)
