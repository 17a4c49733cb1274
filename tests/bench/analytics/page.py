"""From a filter's click to the last chart of a page redrawn, in a real browser, on a large record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page

from core.access import Role
from core.errors import ConflictError
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.workspace import open_workspace
from tests.bench.analytics._events import EVENTS, laid_out
from tests.bench.made import SLUG
from tests.bench.ui.served import browser, enter, figures
from tests.browser.conftest import serving

CLICKS = 24
SMALL = 1_000_000
WHO = "reader"
COLD_MS = 300_000  # the copy is made when the first page asks for it
QUIET_MS = 600  # nothing more is drawn once this has passed

# When the option was clicked, and when a chart last changed, was painted, on the page's own clock.
_WATCH = """() => {
  window.clicked = window.drawn = 0;
  addEventListener('click', (e) => {
    if (e.target.closest('[role=option]')) { window.clicked = e.timeStamp; window.drawn = 0; }
  }, { capture: true });
  new MutationObserver((all) => {
    const chart = (n) => (n.closest ? n : n.parentElement)?.closest('.js-plotly-plot');
    const made = (m) => [...m.addedNodes].some((n) => n.querySelector?.('.js-plotly-plot'));
    if (!all.some((m) => chart(m.target) || made(m))) return;
    const painted = new MessageChannel();
    painted.port1.onmessage = () => { window.drawn = performance.now(); };
    requestAnimationFrame(() => painted.port2.postMessage(0));
  }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}"""
_SETTLED = f"""() => window.drawn > window.clicked
  && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
  && performance.now() - window.drawn > {QUIET_MS}"""


def run(folder: Path) -> dict[str, object]:
    """Return the times at a million events, and at all there are; the targets are 0.8 s and 1.2 s."""
    return {str(n): _of(n, folder) for n in sorted({min(SMALL, EVENTS), EVENTS})}


def _of(events: int, folder: Path) -> dict[str, object]:
    root = laid_out(events)
    _add_reader(root)
    with serving(root) as address, browser() as chrome:
        page = enter(chrome, address, WHO)
        page.set_default_timeout(COLD_MS)
        found = {name: _clicks(page, address, *what) for name, what in PAGES.items()}
        page.context.close()
    return found


def _add_reader(root: Path) -> None:
    ws = open_workspace(root)
    with suppress(ConflictError):  # a record that is kept has one already
        add_person(ws, operator(ws), WHO, roles=[(Role.LEAD, None)], simulated=True)
    ws.store.close()


def _quality(page: Page, turn: int) -> None:
    references = ("Gold: known answers", "What a lead decided", "Items drawn at random", "The label in force")  # fmt: skip
    _choose(page, "compared with", references[turn % len(references)])


def _throughput(page: Page, turn: int) -> None:
    _choose(page, "Person", ("p000", "p004", "p008", "Everybody")[turn % 4])


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label).click()
    page.get_by_role("option", name=option, exact=True).click()


PAGES: dict[str, tuple[str, Callable[[Page, int], None]]] = {
    "quality": ("quality", _quality),
    "throughput": ("throughput", _throughput),
}


def _clicks(
    page: Page, address: str, name: str, change: Callable[[Page, int], None]
) -> dict[str, object]:
    page.goto(f"{address}/{name}?project={SLUG}")
    page.wait_for_selector(".js-plotly-plot")
    page.wait_for_function("() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")  # fmt: skip
    page.evaluate(_WATCH)
    times = []
    for turn in range(-4, CLICKS):  # each choice once, to warm it
        change(page, turn)
        page.wait_for_function(_SETTLED)
        if turn >= 0:
            times.append(float(page.evaluate("window.drawn - window.clicked")))
    return {"charts": page.locator(".js-plotly-plot").count(), **figures(times)}
