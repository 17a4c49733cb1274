"""Pictures of every page and its main states, light and dark, for whoever judges how it looks.

``python -m tests.screenshots [FOLDER] [--workspace WS] [--only WORD] [--size 1920x1080] [--readme]``
serves a copy of a demo workspace (made in ``build/demo`` when there is none), so looking changes
nothing, and writes PNGs. ``--readme`` writes the README's pictures into ``docs/images`` instead.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from core.services.demo.build import make_demo
from tests import chromium
from tests.browser.conftest import serving
from tests.rehearsal import SLUG as REHEARSED
from tests.rehearsal import end_runs, rehearse

ROOT = Path(__file__).resolve().parents[1]
LEAVES, SMEAR = "tree-leaves", "blood-smear"
SPOTS, POINTS = "leaf-spots", "leaf-points"
EXPERT, LEAD, MANAGER, ADMIN = "ingrid", "ruth", "mona", "ada"
READY = (
    ".tb-header, .tb-state, .deck .picture img, .votes .picture img, .deck .state, .deck .notice,"
    " .st-key-tb-box-N, #name, .grid .tile img, .grid .g-class, .grid .g-message"
)
BUSY = '[data-testid="stStatusWidget"], [data-testid="stSkeleton"], .deck .skeleton'
PATIENCE_MS = 30_000
RUN_MS = 400_000
"""How long a run may take to its second judging, a simulation to its end."""
LARGEST_BYTES = 300_000
STEPS = (8, 16)
PAGE_GREY = 236

Act = Callable[[Page], None]


def _nothing(page: Page) -> None:
    """Leave the page as it opened."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: where, as whom, and what is done before it is taken."""

    name: str
    who: str
    path: str
    act: Act = _nothing


def press(*keys: str) -> Act:
    """Return what presses keys one after the other."""

    def act(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)
            settle(page)

    return act


def click(*names: str) -> Act:
    """Return what clicks the button, tab or link of each name."""

    def act(page: Page) -> None:
        for name in names:
            page.get_by_text(name, exact=True).locator("visible=true").first.click()
            settle(page)

    return act


def scroll(share: float) -> Act:
    """Return what scrolls down to a share of the page."""

    def act(page: Page) -> None:
        page.evaluate(
            "s => { const m = document.querySelector('[data-testid=stMain]');"
            " m.scrollTo(0, (m.scrollHeight - m.clientHeight) * s); }",
            share,
        )
        settle(page)

    return act


def unfold(page: Page) -> None:
    """Open what is folded in the column beside the image."""
    folded = page.locator(".rail details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    page.wait_for_timeout(1500)


def offline(page: Page) -> None:
    """Decide twice while the server cannot be reached."""
    page.route("**/files/decisions/**", lambda route: route.abort())
    press("1", "1")(page)
    page.wait_for_timeout(2500)


def broken(page: Page) -> None:
    """Open a queue whose images cannot be read."""
    page.route("**/files/item/**", lambda route: route.fulfill(status=503))
    page.reload()
    page.wait_for_timeout(3000)


def first_class(page: Page) -> None:
    """Open the grid's first class."""
    page.locator(".grid .g-class:not([disabled])").first.click()
    page.locator(".grid .tile img").first.wait_for()
    page.wait_for_timeout(1500)


def marked(page: Page) -> None:
    """Mark some tiles and give one another class."""
    first_class(page)
    press("Space", "ArrowRight", "ArrowRight", "Space", "ArrowDown", "Space")(page)


def previewed(page: Page) -> None:
    """Choose to fine-tune and look at what the recipe does."""
    click("Fine-tune", "Preview on images of this project")(page)
    page.locator(".tb-preview img").first.wait_for(timeout=PATIENCE_MS)


def running(page: Page) -> None:
    """Start a run, where none is under way, and wait for its curve."""
    if page.get_by_role("button", name="Train now").count():
        click("Fine-tune")(page)
        page.get_by_role("spinbutton", name="Minutes it may take").fill("5")
        press("Tab")(page)
        click("Train now")(page)
    curve = page.locator("[class*=st-key-retrain-curve] .js-plotly-plot")
    curve.first.wait_for(timeout=RUN_MS)


def simulated(page: Page) -> None:
    """Run three campaigns against the known labels."""
    page.get_by_role("spinbutton", name="Campaigns").fill("3")
    press("Tab")(page)
    page.get_by_role("button", name="Simulate").click()
    page.get_by_text("Over 3 campaigns").wait_for(timeout=RUN_MS)


def looked(page: Page) -> None:
    """Look for suspicious labels where nobody has, and wait for the first image."""
    button = page.get_by_role("button", name="Look for suspicious labels")
    if button.count():
        button.click()
    page.locator(".susstage img").wait_for(timeout=RUN_MS)
    page.wait_for_timeout(1500)


def answered(page: Page) -> None:
    """Call the first suspicious label right and send the next back."""
    looked(page)
    press("o", "b", "k")(page)


def theatre(page: Page) -> None:
    """Drag the target to 12 % by keyboard and bring the theatre to the top of the window."""
    page.get_by_role("slider", name="Labels that may be wrong, of those accepted").focus()
    for _step in range(6):
        page.keyboard.press("ArrowLeft")
    settle(page)
    page.locator(".st-key-tb-theatre").evaluate("e => e.scrollIntoView()")
    settle(page)


def wrong_password(page: Page) -> None:
    """Sign in with a password that is wrong."""
    page.fill("#name", "ruth")
    page.fill("#password", "not the password")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")


def of(page: str, slug: str = LEAVES, **query: str) -> str:
    """Return the path of a page about a project."""
    return f"{page}?" + "&".join(f"{k}={v}" for k, v in {"project": slug, **query}.items())


SHOTS = (
    Shot("sign-in", "", ""),
    Shot("sign-in-refused", "", "", wrong_password),
    Shot("home-expert", EXPERT, of("home")),
    Shot("home-lead", LEAD, of("home")),
    Shot("home-manager", MANAGER, of("home")),
    Shot("home-admin", ADMIN, of("home")),
    Shot("not-allowed", EXPERT, of("quality")),
    Shot("no-such-project", LEAD, of("quality", "nowhere")),
    Shot("review-leaf", EXPERT, of("review")),
    Shot("review-leaf-answered", EXPERT, of("review"), press("1", "2", "1")),
    Shot("review-keys", EXPERT, of("review"), press("?")),
    Shot("review-flag", EXPERT, of("review"), press("f")),
    Shot("review-skip", EXPERT, of("review"), press("x")),
    Shot("review-guideline", EXPERT, of("review"), press("i")),
    Shot("review-zoomed", EXPERT, of("review"), press("+", "+", "+", "+")),
    Shot("review-light", EXPERT, of("review"), press("b")),
    Shot("review-about", EXPERT, of("review"), unfold),
    Shot("review-talk", EXPERT, of("review"), press("t")),
    Shot("review-order", EXPERT, of("review", order="random", queue="unsure")),
    Shot("review-nothing", EXPERT, of("review", **{"class": "no such class"})),
    Shot("review-offline", EXPERT, of("review"), offline),
    Shot("review-broken", EXPERT, of("review"), broken),
    Shot("review-boxes", EXPERT, of("review", SMEAR)),
    Shot("review-boxes-edit", EXPERT, of("review", SMEAR), press("e", "n")),
    Shot("review-boxes-canvas", EXPERT, of("review", SMEAR), press("Shift+E")),
    Shot("review-shapes-polygons", EXPERT, of("review", SPOTS, order="oldest")),
    Shot(
        "review-shapes-polygons-edit", EXPERT, of("review", SPOTS, order="oldest"), press("e", "n")
    ),
    Shot("review-shapes-points", EXPERT, of("review", POINTS)),
    Shot("grid", EXPERT, of("grid")),
    Shot("grid-page", EXPERT, of("grid"), first_class),
    Shot("grid-marked", EXPERT, of("grid"), marked),
    Shot("grid-boxes", EXPERT, of("grid", SMEAR), first_class),
    Shot("grid-keys", EXPERT, of("grid"), press("?")),
    Shot("adjudicate-leaf", LEAD, of("adjudicate")),
    Shot("adjudicate-leaf-ready", LEAD, of("adjudicate"), press("m", "g")),
    Shot("adjudicate-boxes", LEAD, of("adjudicate", SMEAR)),
    Shot("adjudicate-boxes-edit", LEAD, of("adjudicate", SMEAR), press("e")),
    Shot("adjudicate-causes", LEAD, of("adjudicate", view="causes")),
    Shot("adjudicate-causes-rulings", LEAD, of("adjudicate", view="causes"), scroll(1)),
    Shot("adjudicate-polygons", LEAD, of("adjudicate", SPOTS)),
    Shot("adjudicate-points", LEAD, of("adjudicate", POINTS), press("ArrowRight")),
    Shot("items", LEAD, of("items")),
    Shot("suspicious-first", LEAD, of("suspicious")),
    Shot("suspicious", LEAD, of("suspicious"), looked),
    Shot("suspicious-answered", LEAD, of("suspicious"), answered),
    Shot("suspicious-manager", MANAGER, of("suspicious", kind="label"), looked),
    Shot("quality", MANAGER, of("quality")),
    Shot("quality-middle", MANAGER, of("quality"), scroll(0.5)),
    Shot("quality-end", MANAGER, of("quality"), scroll(1)),
    Shot("quality-people", MANAGER, of("quality", whose="people")),
    Shot("quality-boxes", MANAGER, of("quality", SMEAR)),
    Shot("quality-agreement", MANAGER, of("quality", view="agree")),
    Shot("quality-model", MANAGER, of("quality", view="model")),
    Shot("quality-work", MANAGER, of("quality", view="work")),
    Shot("quality-labels", MANAGER, of("quality", view="labels")),
    Shot("quality-pair", LEAD, of("quality", one="ingrid", other="yuna"), scroll(0.75)),
    Shot("team", LEAD, of("team")),
    Shot("team-end", LEAD, of("team"), scroll(1)),
    Shot("team-person", LEAD, of("team", person="marcus")),
    Shot("team-own", EXPERT, of("team")),
    Shot("throughput", MANAGER, of("throughput")),
    Shot("throughput-end", MANAGER, of("throughput"), scroll(1)),
    Shot("throughput-pace", MANAGER, of("throughput", view="pace")),
    Shot("throughput-pace-end", MANAGER, of("throughput", view="pace"), scroll(1)),
    Shot("throughput-cost", MANAGER, of("throughput", view="cost")),
    Shot("throughput-boxes", MANAGER, of("throughput", SMEAR)),
    Shot("bias", MANAGER, of("bias")),
    Shot("bias-end", MANAGER, of("bias"), scroll(1)),
    Shot("bias-people", MANAGER, of("bias", whose="people")),
    Shot("bias-boxes", MANAGER, of("bias", SMEAR)),
    Shot("retrain", LEAD, of("retrain")),
    Shot("retrain-end", LEAD, of("retrain"), scroll(1)),
    Shot("retrain-boxes", LEAD, of("retrain", SMEAR)),
    Shot("retrain-recipe", LEAD, of("retrain"), previewed),
    Shot("retrain-one-model", LEAD, of("retrain", view="compare")),
    Shot("retrain-compare", LEAD, of("retrain", REHEARSED, view="compare")),
    Shot("retrain-compare-end", LEAD, of("retrain", REHEARSED, view="compare"), scroll(1)),
    Shot("retrain-decide", LEAD, of("retrain", REHEARSED, view="certificate")),
    Shot("retrain-theatre", LEAD, of("retrain", REHEARSED, view="certificate"), theatre),
    Shot("retrain-decide-end", LEAD, of("retrain", REHEARSED, view="certificate"), scroll(1)),
    Shot("retrain-next", LEAD, of("retrain", REHEARSED, view="next")),
    Shot("retrain-simulate", LEAD, of("retrain", REHEARSED, view="simulate"), simulated),
    Shot("retrain-running", LEAD, of("retrain", REHEARSED), running),
    Shot("datasets-import", LEAD, of("datasets")),
    Shot("datasets-export", LEAD, of("datasets"), click("Export")),
    Shot("datasets-batches", LEAD, of("datasets"), click("What came in")),
    Shot("datasets-versions", LEAD, of("datasets"), click("Dataset versions")),
    Shot("people", ADMIN, of("people")),
    Shot("settings", LEAD, of("settings")),
    Shot("settings-queue", LEAD, of("settings"), click("Queue")),
    Shot("settings-guideline", LEAD, of("settings"), click("Guideline")),
    Shot("settings-classes", LEAD, of("settings"), click("Classes")),
    Shot("settings-history", LEAD, of("settings"), click("History")),
    Shot("settings-new-project", MANAGER, of("settings"), click("New project")),
    Shot("settings-expert", EXPERT, of("settings")),
    Shot("settings-keys", EXPERT, of("settings"), click("You")),
)


def readme_shots(workspace: Path) -> tuple[Shot, ...]:
    """Return the README's pictures; each one's name is its file's in ``docs/images``."""
    return (
        Shot("review", EXPERT, of("review", item=clear_leaf(workspace))),
        Shot("grid", EXPERT, of("grid"), marked),
        Shot("adjudicate", LEAD, of("adjudicate", SMEAR, item=most_voted(workspace))),
        Shot("comparing", LEAD, of("retrain", REHEARSED, view="compare")),
        Shot("theatre", LEAD, of("retrain", REHEARSED, view="certificate"), theatre),
        Shot("running", LEAD, of("retrain", REHEARSED), running),
    )


def most_voted(workspace: Path) -> str:
    """Return the id of the dispute on boxes with the most votes, for a picture of votes that differ."""
    with closing(sqlite3.connect(workspace / "tiebreak.db")) as record:
        found = record.execute(
            "SELECT s.item_id FROM item_state s JOIN projects j ON j.id = s.project_id"
            " WHERE j.slug = ? AND s.state = 'dispute' ORDER BY s.votes DESC, s.item_id LIMIT 1",
            (SMEAR,),
        ).fetchone()
    return "" if found is None else str(found[0])


def clear_leaf(workspace: Path) -> str:
    """Return the id of a doubtful leaf in good light, for a picture one can read at half its size."""
    with closing(sqlite3.connect(workspace / "tiebreak.db")) as record:
        found = record.execute(
            "SELECT s.item_id FROM item_state s"
            " JOIN item_metadata m ON m.item_id = s.item_id"
            " JOIN predictions p ON p.seq = s.prediction_seq"
            " JOIN projects j ON j.id = s.project_id"
            " WHERE j.slug = ? AND s.state = 'open'"
            " AND m.doc ->> 'light' = 'sun' AND m.doc ->> 'site' = 'Botanic Garden'"
            " ORDER BY p.confidence LIMIT 1",
            (LEAVES,),
        ).fetchone()
    return "" if found is None else str(found[0])


# --- taking them ------------------------------------------------------------------------------


def settle(page: Page) -> None:
    """Wait until nothing is loading any more and what moves has come to rest."""
    page.locator(READY).locator("visible=true").first.wait_for(timeout=PATIENCE_MS)
    quiet_since = time.monotonic()
    until = quiet_since + PATIENCE_MS / 1000
    while time.monotonic() - quiet_since < 0.7 and time.monotonic() < until:
        if page.locator(BUSY).count():
            quiet_since = time.monotonic()
        page.wait_for_timeout(100)


def take(
    browser: Browser,
    address: str,
    shots: Sequence[Shot],
    folder: Path,
    scheme: str,
    size: tuple[int, int],
) -> None:
    """Take every picture in one scheme, signing in once a person."""
    for who in dict.fromkeys(shot.who for shot in shots):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
            timezone_id="Europe/Berlin",
        )
        page = context.new_page()
        if who:
            page.goto(address)
            page.click(f"button[value={who}]")
            settle(page)
        for shot in (s for s in shots if s.who == who):
            page.goto(f"{address}/{shot.path}")
            settle(page)
            shot.act(page)
            settle(page)
            page.screenshot(path=folder / f"{shot.name}.{scheme}.png")
            page.unroute_all(behavior="ignoreErrors")
            sys.stdout.write(f"{shot.name} ({scheme})\n")
        context.close()


def shrink(path: Path) -> None:
    """Keep a picture for the README small: in steps its photo compresses twice as well.

    The page's own light greys stay as they are, for there a step would be a tint.
    """
    for step in STEPS:
        _coarsen(path, step)
        if path.stat().st_size <= LARGEST_BYTES:
            return
    raise SystemExit(f"{path.name} is {path.stat().st_size:,} bytes, over {LARGEST_BYTES:,}.")


def _coarsen(path: Path, step: int) -> None:
    with Image.open(path) as opened:
        coarse = opened.convert("RGB").point(
            lambda v: v if v >= PAGE_GREY else round(v / step) * step
        )
    coarse.save(path, optimize=True)


def _take_all(address: str, asked: argparse.Namespace) -> None:
    found = chromium.find()
    if found is None:
        raise SystemExit("No Chromium here; 'python tests/chromium.py' installs one.")
    width, height = (int(part) for part in asked.size.split("x"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*chromium.ARGUMENTS])
        shots = _asked(asked)
        if asked.readme:
            _take_readme(browser, address, shots)
        else:
            asked.folder.mkdir(parents=True, exist_ok=True)
            for scheme in asked.scheme:
                take(browser, address, shots, asked.folder, scheme, (width, height))
        browser.close()


def _asked(asked: argparse.Namespace) -> list[Shot]:
    shots = readme_shots(asked.workspace) if asked.readme else SHOTS
    return [s for s in shots if asked.only in s.name]


def _take_readme(browser: Browser, address: str, shots: Sequence[Shot]) -> None:
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    take(browser, address, shots, folder, "light", (1280, 720))
    for shot in shots:
        shrink((folder / f"{shot.name}.light.png").rename(folder / f"{shot.name}.png"))


def main() -> None:
    """Read the command line, serve a copy of the demo, take the pictures."""
    parser = argparse.ArgumentParser(prog="tests.screenshots", description="Take pictures.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--workspace", type=Path, default=ROOT / "build" / "demo")
    parser.add_argument("--only", default="", help="part of the pictures' names")
    parser.add_argument("--size", default="1280x720", help="the window's, in CSS pixels")
    parser.add_argument("--scheme", nargs="+", default=["light", "dark"])
    parser.add_argument("--readme", action="store_true", help="write docs/images instead")
    asked = parser.parse_args()
    if not (asked.workspace / "demo.json").exists():
        sys.stdout.write("Making a demo workspace; this takes a few minutes.\n")
        make_demo(asked.workspace, 0, lambda phase, done, total: None)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "workspace"
        shutil.copytree(asked.workspace, copy)
        if any(f"project={REHEARSED}" in shot.path for shot in _asked(asked)):
            rehearse(copy)
        try:
            with serving(copy) as address:
                _take_all(address, asked)
        finally:
            end_runs(copy)


if __name__ == "__main__":
    main()
