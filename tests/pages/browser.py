"""Opening pages without a browser, as somebody."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from core.access import ANONYMOUS, Actor
from core.ui import identity
from tests.pages.house import House

APP = Path(__file__).resolve().parents[2] / "app.py"
_INIT = PagesManager.__init__
# Every AppTest reads what all installed packages say of themselves, and they say the same again.
_SCAN = cache(manifest_scanner.scan_component_manifests)


class Visit:
    """One person's browser session."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
        self.house, self.who = house, who
        # Asked anew at every run, as the real one is.
        monkeypatch.setattr(identity, "current_actor", self._actor)
        monkeypatch.setattr(PagesManager, "__init__", _claimed)
        monkeypatch.setattr(manifest_scanner, "scan_component_manifests", _SCAN)
        self.at = AppTest.from_file(str(APP), default_timeout=30)

    def _actor(self) -> Actor:
        found = self.house.actor(self.who) if self.who else ANONYMOUS
        return found if found.active else ANONYMOUS

    def open(self, page: str, **query: str) -> AppTest:
        """Open a page by its key."""
        for name, value in query.items():
            self.at.query_params[name] = value
        if page != "home":
            self.at.run()
            self.at.switch_page(f"pages/{page}.py")
        return self.at.run()


def _claimed(manager: PagesManager, *args: object, **options: object) -> None:
    """Start as the server does after `claim_pages`; AppTest forgets it before every run."""
    _INIT(manager, *args, **options)
    PagesManager.uses_pages_directory = False


_WHOLE = re.compile(r"<span class='tb-whole'>(.*?)</span>")


def words(at: AppTest) -> str:
    """Return everything on the page that is text, markup included but for what keeps figures whole."""
    kinds = ("html", "markdown", "caption", "error", "title", "subheader", "toast")
    found = []
    for kind in kinds:
        for element in at.get(kind):
            body = getattr(element, "value", None) or getattr(element.proto, "body", "")
            found.append(_WHOLE.sub(r"\1", str(body)))
    return "\n".join(found)
