"""Class folders: the folder an image lies in is its label. A flat folder has no labels.

The folder meant is the one right above the image. Folders that all images share, and folders of
splits (train, val, test) without class folders beneath, say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InputError
from core.formats.base import ExportRecord, Options, Parsed, Refusal, Row
from core.formats.listing import Listing
from core.formats.names_file import find_names
from core.formats.text import class_name
from core.labels.answer import Answer

_SPLITS = frozenset({"train", "val", "valid", "validation", "test", "testing", "training"})
_NOT_IN_NAMES = frozenset('/\\:*?"<>|')


def find(listing: Listing) -> tuple[str, ...]:
    """Return nothing: the images themselves are the annotation."""
    return ()


def parse(listing: Listing, files: tuple[str, ...], options: Options) -> Parsed:
    """Return the label of every image that lies in a class folder."""
    rows: list[Row] = []
    refused: list[Refusal] = []
    for image, folder in class_folders(listing.images).items():
        try:
            label = class_name(folder)
        except ValueError as error:
            refused.append(Refusal(image, 0, f"the folder gives no label: {error}."))
            continue
        rows.append(Row(image, Answer({options.main_question: label}), image, 0))
    used = tuple(sorted({r.answer.choices[options.main_question] for r in rows if r.answer}))
    names, _ = find_names(listing)
    order = names if set(used) <= set(names) else used
    return Parsed("folder", tuple(rows), tuple(refused), order, listing.images)


def class_folders(images: Sequence[str]) -> dict[str, str]:
    """Return image path to folder name, for every image in a class folder."""
    folders = {path: path.split("/")[:-1] for path in images}
    shared = _shared_depth(list(folders.values()))
    found = {}
    for path, parts in folders.items():
        inner = parts[shared:]
        if inner and inner[-1].lower() not in _SPLITS:
            found[path] = inner[-1]
    return found


def _shared_depth(folders: list[list[str]]) -> int:
    """Return how many leading folders all images share."""
    depth = 0
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        depth += 1
    return depth


def place(
    records: Sequence[ExportRecord], classes: Sequence[str], main_question: str = "label"
) -> dict[str, str]:
    """Return where each labelled image goes: target path to the image's name.

    The caller copies the bytes. Images of one class that have the same file name get their
    folders into the name, joined by '__'. Without an answer an image is left out.

    Raises:
        InputError: A class name cannot be a folder's name on every system.
    """
    placed: dict[str, str] = {}
    taken: set[str] = set()
    for record in records:
        label = record.answer.choices.get(main_question) if record.answer else None
        if label is None:
            continue
        _check_folder(label)
        target = f"{label}/{record.file.rpartition('/')[2]}"
        if target.casefold() in taken:
            target = f"{label}/{record.file.replace('/', '__')}"
        taken.add(target.casefold())
        placed[target] = record.file
    return placed


def _check_folder(label: str) -> None:
    bad = sorted(_NOT_IN_NAMES & set(label))
    if bad or label.startswith(".") or label.endswith((".", " ")):
        raise InputError(
            f"The class '{label}' cannot be the name of a folder.",
            "Rename the class, or export a table instead.",
        )
