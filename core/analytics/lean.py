"""Questions without the parts that a filter leaves nothing of.

`x OR item IN (SELECT …)` looks every row up, even where x holds for all of them. So where no filter of
items is given, the look-up is taken out of the question; and where one is given, `x OR` is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

# The words in which the files in ``sql`` ask for the items a filter leaves.
_CHOSEN = re.compile(
    r"\(\(len\(\$uses\) = 0 AND len\(\$keys\) = 0\)\s+"
    r"OR (\S+ IN \(SELECT item_id FROM chosen_items\(\$project, \$uses, \$keys, \$vals\)\))\)"
)
_PAIRS = re.compile(r"\bpairs\(([^()]*?),\s*\$uses, \$keys, \$vals\s*\)")


_CALLED = re.compile(r"\(\$called = '' OR (\S+ IN \(\s*SELECT.*?\n\s*\))\)", re.DOTALL)


def lean(sql: str, values: Mapping[str, object]) -> str:
    """Return the text of a file in ``sql`` as it is asked with these values."""
    is_chosen = bool(values.get("uses") or values.get("keys"))
    return _lean(sql, is_chosen, bool(values.get("called")))


@cache
def _lean(sql: str, is_chosen: bool, is_called: bool) -> str:
    sql = _CALLED.sub(r"\1" if is_called else "true", sql)
    if is_chosen:
        return _CHOSEN.sub(r"\1", sql)
    return _PAIRS.sub(r"all_pairs(\1)", _CHOSEN.sub("true", sql))
