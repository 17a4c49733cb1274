"""The README names what there is: every setting, every command, every page."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cli.app import COMMANDS
from core.services.consensus.vote_tables import METHOD_NAMES
from core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_readme(name: str) -> None:
    """A setting nobody can find is no setting."""
    assert f"TIEBREAK_{name.upper()}" in README


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_readme(name: str) -> None:
    """A command is listed."""
    assert f"`{name}" in README


@pytest.mark.parametrize("path", sorted((ROOT / "core").iterdir()), ids=lambda p: p.name)
def test_every_room_is_in_the_architecture(path: Path) -> None:
    """Every package and file of core has its line in the picture of the house."""
    if path.name.startswith("__"):
        return
    assert path.stem in (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_every_method_has_its_paragraph(name: str) -> None:
    """A method that can be chosen is explained."""
    assert f"- **{name}**" in (ROOT / "docs" / "consensus.md").read_text()


def test_the_two_commands_are_on_the_first_screen() -> None:
    """The README's first screen gives both."""
    first = README[:1200]
    assert "make demo" in first
    assert "make test" in first
