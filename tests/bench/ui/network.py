"""A slow network: a proxy that passes everything on a little later."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def delayed(address: str, seconds: float) -> Iterator[str]:
    """Give an address that answers like another one, each way so much later.

    A proxy of our own, since a browser's own throttle leaves websockets alone.
    """
    target = urlsplit(address).port or 80
    loop = asyncio.new_event_loop()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def serve() -> None:
        await asyncio.start_server(lambda r, w: _join(r, w, target, seconds), "127.0.0.1", port)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    try:
        yield address.replace(f":{target}", f":{port}", 1)
    finally:
        asyncio.run_coroutine_threadsafe(_end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _end() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, seconds: float
) -> None:
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(asyncio.CancelledError):  # at the end; asyncio would report it as a fault
        await asyncio.gather(
            _carry(reader, far_writer, seconds), _carry(far_reader, writer, seconds)
        )


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await late.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not data:
                break
            writer.write(data)
            await writer.drain()

    delivering = asyncio.create_task(deliver())
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            late.put_nowait((time.monotonic() + seconds, data))
    late.put_nowait((time.monotonic() + seconds, b""))
    with suppress(ConnectionError):
        await delivering
    writer.close()
