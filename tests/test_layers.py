"""The house's arrows point down: which package may import which, held against the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HALL = ROOT / "core" / "services"
SMALL = {"errors", "settings", "clock"}
GROUND = {"labels", "stats"} | SMALL
ROOMS = {"queue", "consensus", "learning", "analytics", "datasets", "intake", "formats", "jobs", "access", "store"}  # fmt: skip

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "settings": {"errors"},
    "stats": {"errors"},
    "labels": {"errors", "stats"},
    "consensus": GROUND,
    "formats": GROUND,
    "intake": GROUND,
    "datasets": GROUND,
    "learning": GROUND,
    "access": GROUND,
    "store": GROUND,
    "queue": GROUND | {"store"},
    "analytics": GROUND | {"store"},
    "jobs": GROUND | {"store"},
    "services": GROUND | ROOMS | {"data"},
    "web": SMALL,
    "catalogue": SMALL,
    "server": GROUND | {"access", "services", "web", "catalogue"},
    "ui": GROUND | {"access", "services", "web", "catalogue", "consensus", "analytics", "jobs"},
    "cli": GROUND | {"access", "services", "jobs"},
    "pages": GROUND | {"access", "services", "ui", "catalogue", "consensus", "analytics", "jobs"},
    "app": {"ui", "server", "web"},
    "data": {"labels", "errors", "formats", "intake"},
}
"""Room to the rooms it may import; its own is always allowed."""

BASE = {"workspace", "pictures", "accounts", "projects", "consensus", "visibility"}
SERVICES: dict[str, set[str]] = {
    "workspace": set(),
    "doctor": {"workspace", "pictures"},
    "pictures": {"workspace"},
    "accounts": {"workspace"},
    "projects": {"workspace", "pictures"},
    "consensus": {"workspace", "projects"},
    "visibility": BASE - {"visibility"},
    "talk": BASE,
    "items": BASE | {"talk"},
    "review": BASE | {"talk", "items"},
    "grid": BASE | {"review"},
    "steering": BASE,
    "models": BASE | {"steering"},
    "certificates": BASE | {"steering", "models", "analytics"},
    "transfer": BASE | {"models"},
    "analytics": BASE | {"talk", "items", "review"},
    "bias": BASE | {"items", "review", "analytics"},
    "report": BASE | {"models", "certificates", "analytics", "bias", "issues", "versions"},
    "issues": BASE | {"talk", "items", "review", "steering", "models"},
    "versions": BASE | {"talk", "items", "review", "steering", "models", "transfer"},
    "demo": BASE | {"talk", "items", "review", "steering", "models", "certificates", "transfer"},
}
"""The same within the services."""

ONLY = {
    "streamlit": {"ui", "pages", "app"},
    "streamlit_drawable_canvas": {"ui"},
    "torch": {"learning"},
    "torchvision": {"learning"},
    "duckdb": {"analytics"},
    "sqlalchemy": {"store", "queue", "analytics", "jobs", "services"},
    "plotly": {"ui"},
}
"""Libraries that only some rooms may import."""


def _files() -> list[Path]:
    found = [ROOT / "app.py", *(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    return sorted([*found, *(ROOT / "data").glob("*.py")])


def _room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "core" and len(parts) > 1 else parts[0]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module in ("core", "data"):
                yield from (f"{node.module}.{a.name}" for a in node.names)


def _target(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] == "core":
        return parts[1] if len(parts) > 1 else None
    return parts[0] if parts[0] in ("pages", "data", "app") else None


@pytest.mark.parametrize("path", _files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_what_lies_below_it(path: Path) -> None:
    """A file imports its own room and those its row of the table names."""
    room = _room(path)
    if room in ("core", "__init__"):
        return
    broken = {
        f"{room} imports {module}"
        for module in _imports(path)
        if (target := _target(module)) and target != room and target not in ALLOWED[room]
    }
    assert not broken


@pytest.mark.parametrize("path", sorted(HALL.rglob("*.py")), ids=lambda p: str(p.relative_to(HALL)))
def test_a_service_imports_only_rooms_below_its_own(path: Path) -> None:
    """The rooms of the services know those of their row, so no two know each other."""
    room = path.relative_to(HALL).with_suffix("").parts[0]
    if room == "__init__":
        return
    known = {m.split(".")[2] for m in _imports(path) if m.startswith("core.services.")}
    assert known - {room} <= SERVICES[room]


@pytest.mark.parametrize("path", _files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    """Streamlit is imported only by ui and pages, torch only by learning, and so on."""
    room = _room(path)
    broken = {
        f"{room} imports {module}"
        for module in _imports(path)
        if (allowed := ONLY.get(module.split(".")[0])) and room not in allowed
    }
    assert not broken


def test_every_room_has_a_row() -> None:
    """A new package in core must be given its place in the table."""
    rooms = {
        p.stem
        for p in (ROOT / "core").iterdir()
        if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert rooms - {"__init__"} <= set(ALLOWED)
