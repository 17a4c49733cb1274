"""docs/roles.md is the role table, word for word."""

from __future__ import annotations

from pathlib import Path

from core.access import Role
from core.access.roles import MATRIX, OWNED

PAGE = Path(__file__).resolve().parents[1] / "docs" / "roles.md"
COLUMNS = (Role.EXPERT, Role.LEAD, Role.MANAGER, Role.ADMIN, Role.WORKER)


def table() -> str:
    """Return the role table as the page must show it."""
    head = "| | " + " | ".join(r.value for r in COLUMNS) + " |"
    lines = [head, "|---" * (len(COLUMNS) + 1) + "|"]
    for action, roles in MATRIX.items():
        said = "own" if action in OWNED else "yes"
        cells = [said if r in roles else "–" for r in COLUMNS]
        lines.append(f"| {action.value} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def test_the_page_shows_the_table_that_is_enforced() -> None:
    """What people read is what the gate does; run this file as a script for the new table."""
    assert table() in PAGE.read_text()


if __name__ == "__main__":
    print(table())
