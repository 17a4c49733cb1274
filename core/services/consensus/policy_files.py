"""Policies in files, as the command line takes them."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError

MOST_BYTES = 1_000_000


def read_policy_text(path: Path) -> str:
    """Return the text of a policy file.

    Raises:
        InputError: The file cannot be read as text.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        why = (error.strerror or "no reason").lower()
        raise InputError(f"The policy {path} cannot be read: {why}.", "Check its name.") from error
    if len(data) > MOST_BYTES:
        raise InputError(f"The policy {path} is larger than {MOST_BYTES // 10**6} MB; none is.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The policy {path} cannot be read as text.", "Name a JSON file in UTF-8."
        ) from error
