"""How large a thing may be before intake refuses it. The values in force come from the settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Bounds of one image.

    Attributes:
        max_bytes: Of the encoded file.
        max_pixels: Width times height. Just above Pillow's own warning level, so that a
            file it would only warn of is refused here.
        max_side: Longest side in pixels; a JPEG, which is what browsers get, ends at 65,535.
    """

    max_bytes: int = 200_000_000
    max_pixels: int = 90_000_000
    max_side: int = 65_000


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Bounds of a tree of files: a folder, an archive or a bucket.

    Attributes:
        max_entries: Files and folders together.
        max_total_bytes: All files, unpacked.
        max_file_bytes: One file, unpacked.
        max_ratio: Unpacked to packed bytes, of one entry and of the archive as a whole.
        ratio_from_bytes: Entries smaller than this may pack as well as they like.
    """

    max_entries: int = 500_000
    max_total_bytes: int = 50_000_000_000
    max_file_bytes: int = 1_000_000_000
    max_ratio: float = 200.0
    ratio_from_bytes: int = 1_000_000
