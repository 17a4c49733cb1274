"""Reading very many rows of a SQLite record, in short processes of their own.

Row by row, Python takes three seconds for a million rows; the ADBC driver takes a third of that. But
it brings a second copy of the SQLite library, and when a second copy closes a file, the operating
system drops the locks the first one holds in that process: so it runs where nothing else has the
file open. Rows come back over pipes as Arrow streams.

What is read is append-only and bounded by sequence numbers the caller saw in one snapshot, so it is
that snapshot, whatever was committed since.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, Any

import pyarrow as pa

from core.errors import StorageError, StoreCorrupt, StoreUnavailable

READERS = 2
AHEAD = 1  # batches a reader may be ahead of whoever takes them
BATCH_ROWS = "131072"
DRIVER = "adbc_driver_sqlite"


def is_possible() -> bool:
    """Return whether the driver is installed."""
    return find_spec(DRIVER) is not None


@contextmanager
def batches_of(
    path: Path, statements: Sequence[str]
) -> Iterator[Iterator[Iterator[pa.RecordBatch]]]:
    """Give the batches of each statement, in order; each must be taken to its end.

    The first row of every statement tells the types of its columns and is left out. The
    statements are shared out in turn, so neighbours are read at the same time.

    Raises:
        StoreUnavailable: The record cannot be read.
        StoreCorrupt: The record is damaged.
    """
    with ExitStack() as stack:
        count = min(READERS, len(statements))
        readers = [stack.enter_context(_reader(path, statements[i::count])) for i in range(count)]
        yield (_taken(readers[i % count]) for i in range(len(statements)))


@contextmanager
def _reader(path: Path, statements: Sequence[str]) -> Iterator[Queue[Any]]:
    """Start a process and a thread that puts what it sends into a queue."""
    with subprocess.Popen(
        [sys.executable, "-m", "core.analytics.bulk"], cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        ahead: Queue[Any] = Queue(AHEAD)
        thread = Thread(target=_receive, args=(child, path, statements, ahead), daemon=True)
        thread.start()
        try:
            yield ahead
        finally:
            child.kill()
            while thread.is_alive():  # it may wait for room
                while not ahead.empty():
                    ahead.get()
                thread.join(0.05)


def _receive(
    child: subprocess.Popen[bytes], path: Path, statements: Sequence[str], ahead: Queue[Any]
) -> None:
    asked = json.dumps({"path": str(path), "statements": list(statements)}).encode()
    try:
        with _pipe(child.stdin) as way_in:
            way_in.write(asked)
        for _ in statements:
            with pa.ipc.open_stream(_pipe(child.stdout)) as stream:
                for batch in stream:
                    ahead.put(batch)
            ahead.put(None)
    except (pa.ArrowInvalid, OSError, EOFError):
        ahead.put(_error(_pipe(child.stderr).read().decode(errors="replace").strip()))


def _taken(ahead: Queue[Any]) -> Iterator[pa.RecordBatch]:
    while (found := ahead.get()) is not None:
        if isinstance(found, StorageError):
            raise found
        yield found


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None  # all three were asked for
    return end


def _error(said: str) -> StorageError:
    reason = said.splitlines()[-1] if said else "the reading process ended"
    if "malformed" in reason or "not a database" in reason:
        return StoreCorrupt(
            f"The record is damaged ({reason}); nothing was changed or deleted.",
            "Keep the files, and put back your last copy of tiebreak.db.",
        )
    return StoreUnavailable(f"The record cannot be read: {reason}.", "Try again.")


# --- in the process ---------------------------------------------------------------------------


def main() -> int:
    """Read what is asked for on the standard input and write it to the standard output."""
    from adbc_driver_manager import AdbcConnection, AdbcStatement, Error
    from adbc_driver_sqlite import connect  # not its `dbapi`, which takes a second to load pandas

    asked = json.loads(sys.stdin.buffer.read())
    place = f"{Path(asked['path']).absolute().as_uri()}?mode=ro"
    try:
        with (
            connect(place) as database,
            AdbcConnection(database) as connection,
            AdbcStatement(connection) as statement,
        ):
            statement.set_options(**{"adbc.sqlite.query.batch_rows": BATCH_ROWS})
            for sql in asked["statements"]:
                statement.set_sql_query(sql)
                rows, _ = statement.execute_query()
                _send(pa.RecordBatchReader.from_stream(rows), sys.stdout.buffer)
    except (Error, pa.ArrowException) as error:
        sys.stderr.write(f"{str(error).splitlines()[0]}\n")
        return 1
    return 0


def _send(batches: pa.RecordBatchReader, out: IO[bytes]) -> None:
    with pa.ipc.new_stream(out, batches.schema) as stream:
        for number, batch in enumerate(batches):
            stream.write_batch(batch.slice(1) if number == 0 else batch)
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
