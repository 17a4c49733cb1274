"""Bytes to items: what an image is, and where files come from. No database, no Streamlit."""

from core.intake.address import FsspecSource
from core.intake.entries import Entry, RefusedEntry, Source
from core.intake.folder import FolderSource
from core.intake.limits import ArchiveLimits, ImageLimits
from core.intake.names import Match, NameIndex, name_fault
from core.intake.probe import ImageInfo, open_upright, probe_image, rendition
from core.intake.source import open_source
from core.intake.zipped import ZipSource

__all__ = [
    "ArchiveLimits",
    "Entry",
    "FolderSource",
    "FsspecSource",
    "ImageInfo",
    "ImageLimits",
    "Match",
    "NameIndex",
    "RefusedEntry",
    "Source",
    "ZipSource",
    "name_fault",
    "open_source",
    "open_upright",
    "probe_image",
    "rendition",
]
