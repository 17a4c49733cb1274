"""Annotation formats, one module each, parse and emit side by side. Pure: no disk, no store."""

from core.formats.base import ExportRecord, Format, Parsed, Refusal, Row
from core.formats.placing import resolve_regions
from core.formats.registry import FORMATS, detect, parse

__all__ = [
    "FORMATS",
    "ExportRecord",
    "Format",
    "Parsed",
    "Refusal",
    "Row",
    "detect",
    "parse",
    "resolve_regions",
]
