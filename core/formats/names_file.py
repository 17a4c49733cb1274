"""Lists of class names beside annotations: classes.txt, *.names and YOLO's data.yaml."""

from __future__ import annotations

import yaml

from core.formats.listing import Listing
from core.formats.text import UnreadableFile, class_name, decode_text, shown

MAX_NAMES_BYTES = 1_000_000
MAX_YAML_BYTES = 200_000  # PyYAML reads about 1 MB in ten seconds
MAX_CLASSES = 100_000
_LIST_NAMES = frozenset({"classes.txt", "labels.txt", "names.txt", "predefined_classes.txt"})
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp")
)


def find_names(listing: Listing) -> tuple[tuple[str, ...], str | None]:
    """Return the class names in their order, and the file they stand in (None: there is none).

    Raises:
        UnreadableFile: The list is broken, or two lists in the tree disagree.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path in _candidates(listing):
        data = listing.read(path, MAX_NAMES_BYTES)
        names = parse_yaml(data, path) if _is_yaml(path) else parse_list(data, path)
        if names is not None:
            found[path] = names
    if not found:
        return (), None
    first, *others = found
    for other in others:
        if found[other] != found[first]:
            raise UnreadableFile(
                other, 0, f"its class names differ from those in {first}.", "Keep the right one."
            )
    return found[first], first


def _is_yaml(path: str) -> bool:
    return path.lower().endswith((".yaml", ".yml"))


def is_names_list(path: str) -> bool:
    """Return whether a text file is a list of class names, by what tools call it."""
    base = path.rpartition("/")[2].lower()
    return base in _LIST_NAMES or base.endswith(".names")


def _candidates(listing: Listing) -> list[str]:
    main = listing.main_file
    if main is not None and (_is_yaml(main) or is_names_list(main)):
        return [main]
    lists = [p for p in listing.with_suffix(".txt", ".names", everywhere=True) if is_names_list(p)]
    return lists + list(listing.with_suffix(".yaml", ".yml", everywhere=True))


def parse_list(data: bytes, file: str) -> tuple[str, ...]:
    """Return the class names of a file with one name per line.

    Raises:
        UnreadableFile: A line between names is empty, or a name is bad or given twice.
    """
    lines = decode_text(data, file).rstrip().split("\n")
    if lines == [""]:
        raise UnreadableFile(file, 0, "it names no classes.")
    return _checked([(line, text) for line, text in enumerate(lines, start=1)], file)


def parse_yaml(data: bytes, file: str) -> tuple[str, ...] | None:
    """Return the class names of a data.yaml, or None if it is about something else.

    The document is only composed into nodes, never constructed: no tag can make an object,
    and an alias is a reference, so no bomb unfolds.

    Raises:
        UnreadableFile: It is not YAML, or its names are not a list or numbered from 0.
    """
    if len(data) > MAX_YAML_BYTES:
        raise UnreadableFile(file, 0, f"it is larger than {MAX_YAML_BYTES:,} bytes.")
    text = decode_text(data, file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise UnreadableFile(file, line, f"it is not YAML: {error.problem}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableFile(file, 0, "it is not YAML, or nested too deeply.") from error
    if not isinstance(root, yaml.MappingNode):
        return None
    found = [value for key, value in root.value if key.value == "names"]
    if not found:
        return None
    if len(found) > 1:
        raise UnreadableFile(file, found[1].start_mark.line + 1, "'names' is given twice.")
    return _checked(_numbered(found[0], file), file)


def _numbered(node: yaml.Node, file: str) -> list[tuple[int, str]]:
    """Return (line, name) in class order from a list, or from a mapping of 0, 1, 2 …"""
    if isinstance(node, yaml.SequenceNode):
        return [(n.start_mark.line + 1, _scalar(n, file)) for n in node.value]
    if not isinstance(node, yaml.MappingNode):
        raise UnreadableFile(file, node.start_mark.line + 1, "'names' is not a list.")
    named: dict[int, tuple[int, str]] = {}
    for key, value in node.value:
        line, index = key.start_mark.line + 1, _scalar(key, file)
        if not (index.isascii() and index.isdigit() and len(index) <= 6):
            raise UnreadableFile(file, line, f"class number {shown(index)} is not a number.")
        if int(index) in named:
            raise UnreadableFile(file, line, f"class {index} is named twice.")
        named[int(index)] = (line, _scalar(value, file))
    for expected in range(len(named)):
        if expected not in named:
            line = node.start_mark.line + 1
            raise UnreadableFile(file, line, f"class {expected} has no name; numbers run from 0.")
    return [named[i] for i in range(len(named))]


def _scalar(node: yaml.Node, file: str) -> str:
    # The text as written: YAML would make 'no' false and '1.0' a number.
    if isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN_TAGS:
        return str(node.value)
    line = node.start_mark.line + 1
    raise UnreadableFile(file, line, "a class name is a plain word; found something else.")


def _checked(lines: list[tuple[int, str]], file: str) -> tuple[str, ...]:
    if len(lines) > MAX_CLASSES:
        raise UnreadableFile(file, 0, f"it names more than {MAX_CLASSES:,} classes.")
    seen: dict[str, int] = {}
    for line, text in lines:
        try:
            name = class_name(text)
        except ValueError as error:
            raise UnreadableFile(file, line, f"{error}.") from error
        if name in seen:
            raise UnreadableFile(
                file, line, f"class {shown(name)} is named twice, first in line {seen[name]}."
            )
        seen[name] = line
    return tuple(seen)
