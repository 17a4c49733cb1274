"""Asking the copy: each question within a time, and answers given again while they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa

from core.analytics.answers import Answer, Answers
from core.analytics.copies import Copy, limited
from core.analytics.lean import lean
from core.analytics.statements import parameters, sql_of
from core.analytics.taking import EVERY_PROJECT

Edition = tuple[int, ...]
"""How often the copy was made anew, then the last sequence number of each table."""


class Answering:
    """A copy that answers questions, from as many threads as you like.

    Attributes:
        edition: What the copy holds: another one after each catch-up that found anything new.
    """

    def __init__(self, copy: Copy, seconds: float, remembered: int) -> None:
        self._db = copy
        self._seconds = seconds
        self._answers = Answers(remembered)
        self.edition: Edition = (0,)
        self._rebuilt = 0
        self._moves: Counter[int] = Counter()  # how often new rows were about a project
        self._broken = ""  # why the file must be made anew before the next reading

    def edition_of(self, project_id: int) -> Edition:
        """Return what the copy holds of one project: another one after each new row about it.

        A new row about people or the like is one about every project.
        """
        return self._rebuilt, self._moves[EVERY_PROJECT], self._moves[project_id]

    def _edition_asked(self, values: Mapping[str, object]) -> Edition:
        project = values.get("project")
        return self.edition_of(project) if isinstance(project, int) else self.edition

    def query(
        self, name: str, params: Mapping[str, object] | None = None, seconds: float | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows that answer a question.

        Args:
            name: File name of the question in ``sql/``, without its ending.
            params: Values of the file's ``$parameters``; those it does not name are ignored.
            seconds: How long it may take; None for the replica's own limit.

        Raises:
            LimitExceeded: It took longer, or needed more memory than the replica may have.
        """
        columns, rows = self._asked(name, params, seconds)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def tuples(
        self, name: str, params: Mapping[str, object] | None = None, seconds: float | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the same as `query` as plain tuples, for answers of very many rows.

        Raises:
            LimitExceeded: It took longer, or needed more memory than the replica may have.
        """
        return list(self._asked(name, params, seconds)[1])

    def _asked(
        self, name: str, params: Mapping[str, object] | None, seconds: float | None
    ) -> Answer:
        """Return the columns and rows of an answer; one given since the last new row stands."""
        sql, values = _bound(name, params)
        edition, key = self._edition_asked(values), (name, repr(values))
        known = self._answers.get(edition, key)
        if known is None:
            with self._running(seconds) as cursor:
                cursor.execute(sql, values)
                known = tuple(c[0] for c in cursor.description), cursor.fetchall()
            if self._edition_asked(values) == edition:  # else it may be of the rows of another one
                self._answers.keep(edition, key, known)
        return known

    def arrow(
        self, name: str, params: Mapping[str, object] | None = None, seconds: float | None = None
    ) -> pa.Table:
        """Return the answer as an Arrow table, for answers of many rows.

        Raises:
            LimitExceeded: It took longer, or needed more memory than the replica may have.
        """
        with self._running(seconds) as cursor:
            sql, values = _bound(name, params)
            return cursor.sql(sql, params=values).to_arrow_table()

    def _running(self, seconds: float | None) -> AbstractContextManager[Any]:
        """Give a cursor of its own whose work is interrupted when its time is over."""
        return limited(self._db, self._seconds if seconds is None else seconds, self._tell_broken)

    def _tell_broken(self, reason: str) -> None:
        self._broken = reason


def _bound(name: str, params: Mapping[str, object] | None) -> tuple[str, dict[str, object]]:
    sql = lean(sql_of(name), params or {})
    return sql, {p: (params or {})[p] for p in parameters(sql)}
