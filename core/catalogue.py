"""The message catalogue: every text a person reads, in the language they chose.

English is the source. A language is one folder ``core/ui/locale/<code>/LC_MESSAGES`` with
``tiebreak.po`` and the ``tiebreak.mo`` made from it.
"""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path

DOMAIN = "tiebreak"
FOLDER = Path(__file__).resolve().parent / "ui" / "locale"

# Each language under its own name, so that its readers find it.
NAMES = {"en": "English", "ko": "한국어"}


@lru_cache(maxsize=32)
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the texts of a language; English where it has none."""
    return gettext.translation(DOMAIN, FOLDER, languages=[language], fallback=True)


def languages() -> dict[str, str]:
    """Return the languages that have a catalogue, code to name, English first."""
    found = sorted(p.parent.parent.name for p in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return {code: NAMES.get(code, code) for code in ["en", *found]}
