"""The storage contract, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors import InputError, StoreCorrupt
from core.services.review.claiming import claim_items
from core.services.workspace import Workspace
from core.store.audit import append_audit, verify_audit
from core.store.store import Store
from core.store.tables import APPEND_ONLY, audit, leases, metadata, people
from tests.record import World, rule, vote

Make = Callable[..., World]


def count(store: Store, table) -> int:
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def add_person(connection: Connection, name: str) -> None:
    connection.execute(
        insert(people), {"name": name, "kind": "person", "simulated": False, "at": 1.0}
    )


@pytest.mark.parametrize("way", ["write", "ephemeral"])
def test_a_transaction_that_fails_leaves_nothing(ws: Workspace, way: str):
    """What was written before the failure is taken back whole, audit record included."""

    def fail() -> None:
        with getattr(ws.store, way)() as connection:
            add_person(connection, "ann")
            append_audit(connection, 1.0, "ann", "tried", "nothing")
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="power"):
        fail()
    assert (count(ws.store, people), count(ws.store, audit)) == (0, 0)


def test_a_violated_constraint_takes_the_whole_transaction_back(ws: Workspace):
    """The first row of a transaction goes when the second is refused."""

    def add_twice() -> None:
        with ws.store.write() as connection:
            add_person(connection, "ann")
            add_person(connection, "ann")

    with pytest.raises(IntegrityError):
        add_twice()
    assert count(ws.store, people) == 0


def test_a_reader_keeps_its_snapshot(ws: Workspace):
    """What another transaction commits meanwhile is not seen until the next read."""
    with ws.store.read() as reading:
        before = reading.execute(select(func.count()).select_from(people)).scalar_one()
        with ws.store.write() as connection:
            add_person(connection, "ann")
        again = reading.execute(select(func.count()).select_from(people)).scalar_one()
    assert (before, again, count(ws.store, people)) == (0, 0, 1)


def test_numbers_come_in_the_order_of_commits(ws: Workspace):
    """While one transaction is open another waits, so no smaller number appears later."""
    inside, done = threading.Event(), []

    def second() -> None:
        inside.wait(5)
        with ws.store.write() as connection:
            done.append("second")
            add_person(connection, "second")

    thread = threading.Thread(target=second)
    thread.start()
    with ws.store.write() as connection:
        inside.set()
        add_person(connection, "first")
        thread.join(0.3)
        assert thread.is_alive()
        assert not done
    thread.join(10)
    with ws.store.read() as connection:
        names = connection.execute(select(people.c.name).order_by(people.c.id)).scalars().all()
    assert names == ["first", "second"]


def test_foreign_keys_are_held(ws: Workspace):
    """A lease on an item that does not exist is refused."""
    row = {"item_id": 99, "person_id": 99, "project_id": 99, "since": 1.0, "expires_at": 2.0}
    with pytest.raises(IntegrityError), ws.store.ephemeral() as connection:
        connection.execute(insert(leases), row)


@pytest.mark.parametrize("value", [2**70, "\ud800"], ids=["number", "surrogate"])
def test_what_the_record_cannot_hold_is_refused_in_words(ws: Workspace, value: object):
    """A number beyond 64 bits or half a character gives a sentence, not a traceback."""
    column = people.c.id if isinstance(value, int) else people.c.name
    with pytest.raises(InputError, match="none the record can hold"), ws.store.read() as connection:
        connection.execute(select(people).where(column == value)).all()


# --- append-only ------------------------------------------------------------------------------


def fill(world: World) -> None:
    """Put at least one row into every append-only table, directly where no service is quick."""
    vote(world, world.cast.experts[0], world.items[0], "cat")
    vote(world, world.cast.experts[1], world.items[0], "dog")
    vote(world, world.cast.experts[2], world.items[0], "owl")
    rule(world, world.cast.lead, world.items[0])
    with world.ws.store.write() as connection:
        for table in APPEND_ONLY:
            if connection.execute(select(table).limit(1)).first() is None:
                connection.execute(insert(table), row_for(connection, table, world))


def row_for(connection: Connection, table, world: World) -> dict[str, object]:
    """Make up a row, following foreign keys to rows that are there."""
    row: dict[str, object] = {}
    for column in table.columns:
        if column.foreign_keys:
            target = next(iter(column.foreign_keys)).column
            row[column.name] = connection.execute(
                select(target).select_from(target.table).limit(1)
            ).scalar()
            if row[column.name] is None and target.table.name == "jobs":
                row[column.name] = connection.execute(
                    insert(target.table).returning(target), row_for(connection, target.table, world)
                ).scalar_one()
        elif not column.primary_key and not column.nullable:
            kind = column.type.python_type
            row[column.name] = kind("1") if kind is str else kind(1)
    return row


def test_every_append_only_table_refuses_to_be_changed(make: Make):
    """UPDATE and DELETE are refused on each table that is said to be append-only."""
    world = make()
    fill(world)
    for table in APPEND_ONLY:
        column = next(c for c in table.columns if not c.primary_key)
        for statement in (update(table).values({column.name: column}), table.delete()):
            with (
                pytest.raises(DBAPIError, match="append-only"),
                world.ws.store.write() as connection,
            ):
                connection.execute(statement)
        assert count(world.ws.store, table) > 0


def test_only_these_tables_may_change_in_place():
    """What is neither append-only is on a short list that one must change on purpose."""
    others = {t.name for t in metadata.sorted_tables} - {t.name for t in APPEND_ONLY}
    assert others == {
        "leases", "probe_leases", "drafts", "jobs", "preferences", "sessions", "sign_in_attempts",
        "item_state",
    }  # fmt: skip


# --- the audit trail --------------------------------------------------------------------------


def test_the_trail_has_no_gaps_and_counts_each_action(make: Make):
    """Numbers run 1, 2, 3 …; a vote adds one, a claim and a refused vote add none."""
    world = make()
    with world.ws.store.read() as connection:
        before = verify_audit(connection)
    claim_items(world.ws, world.cast.experts[0], world.slug, 3)
    vote(world, world.cast.experts[0], world.items[0])
    with pytest.raises(InputError):
        vote(world, world.cast.experts[1], world.items[0], "unicorn")
    with world.ws.store.read() as connection:
        assert verify_audit(connection) == before + 1
        numbers = connection.execute(select(audit.c.seq).order_by(audit.c.seq)).scalars().all()
    assert numbers == list(range(1, before + 2))


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE audit SET actor = 'mallory' WHERE seq = 3",
        "UPDATE audit SET doc = '{}' WHERE seq = 3",
        "UPDATE audit SET at = at + 1 WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
    ],
    ids=["actor", "document", "time", "missing"],
)
def test_an_altered_record_is_named(ws: Workspace, tamper: str):
    """With the triggers gone a record can be altered, but not without the trail saying where."""
    with ws.store.write() as connection:
        for n in range(5):
            append_audit(connection, float(n), "ann", "did", str(n), doc={"n": n})
        if ws.store.dialect == "sqlite":
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(text("DROP TRIGGER audit_append_only ON audit"))
        connection.execute(text(tamper))
    with pytest.raises(StoreCorrupt, match="record 3"), ws.store.read() as connection:
        verify_audit(connection)
