"""A client that does not go on loses its connection; one that waits for the server keeps it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from edgewise.slow_clients import PatientProtocol

PATIENCE_S = 0.2
LONG_S = 10.0
"""What is awaited comes much sooner; without an end to patience it never comes."""

REQUEST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\nbody"
HALF_A_HEAD = b"POST / HTTP/1.1\r\nhost: he"
HALF_A_BODY = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nbody"
LARGE = bytes(8 * 1024 * 1024)


class HastyProtocol(PatientProtocol):
    """The same, with less patience than a test has."""

    patience_s = PATIENCE_S


@asynccontextmanager
async def served(
    app: ASGIApp, http: type[PatientProtocol] = HastyProtocol, ws: Any = "none"
) -> AsyncIterator[int]:
    """Serve an app on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, http=http, ws=ws, lifespan="off", log_level="critical", timeout_keep_alive=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            await serving


def answering(body: bytes = b"done", after_s: float = 0.0) -> ASGIApp:
    """An app that reads a request and answers a while later."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            return
        await asyncio.sleep(after_s)
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def connected(
    app: ASGIApp,
    use: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]],
    http: type[PatientProtocol] = HastyProtocol,
) -> Any:
    """Return what a function does with a connection to an app."""

    async def scenario() -> Any:
        async with served(app, http) as port, asyncio.timeout(LONG_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            try:
                return await use(reader, writer)
            finally:
                writer.close()

    return uvloop.run(scenario())


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Wait for the end of a connection on which nothing more may come."""
    try:
        return await reader.read(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(HALF_A_HEAD, id="half-a-head"),
        pytest.param(HALF_A_BODY, id="half-a-body"),
    ],
)
def test_a_request_that_does_not_come_to_its_end_is_not_awaited(sent: bytes) -> None:
    """The connection is closed, however much of the request was sent."""

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(sent)
        return await is_closed(reader)

    assert connected(answering(), use)


def test_the_app_learns_that_a_body_does_not_go_on() -> None:
    """It is told as of any client that leaves, so that nothing waits for the rest."""
    told: asyncio.Queue[str] = asyncio.Queue()

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        while (message := await receive()).get("more_body"):
            pass
        told.put_nowait(message["type"])

    async def use(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(HALF_A_BODY)
        return await told.get()

    assert connected(app, use) == "http.disconnect"


def test_half_a_second_request_is_not_awaited_either() -> None:
    """The first is answered; the time that an idle connection has ends with the second."""

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(REQUEST)
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        writer.write(HALF_A_HEAD)
        return await is_closed(reader)

    assert connected(answering(), use)


@pytest.mark.parametrize("connection", [b"keep-alive", b"close"])
def test_a_client_that_does_not_read_is_not_awaited(connection: bytes) -> None:
    """An answer that finds no way out ends with its connection."""

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(REQUEST.replace(b"host:", b"connection: " + connection + b"\r\nhost:"))
        await asyncio.sleep(5 * PATIENCE_S)
        came = 0
        with suppress(ConnectionResetError):
            while part := await reader.read(65536):
                came += len(part)
        return came

    assert connected(answering(LARGE), use) < len(LARGE)


def test_who_waits_for_the_server_is_left_alone() -> None:
    """The server may take its time, and an idle connection may be used again."""

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(REQUEST)
            await reader.readuntil(b"done")
            await asyncio.sleep(3 * PATIENCE_S)

    connected(answering(after_s=3 * PATIENCE_S), use)


def test_a_body_may_come_in_parts() -> None:
    """Whoever goes on is not cut off before the end of what it sends."""

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(HALF_A_BODY)
        await asyncio.sleep(PATIENCE_S / 2)
        writer.write(bytes(96))
        return await reader.readuntil(b"done")

    assert connected(answering(), use).startswith(b"HTTP/1.1 200")


def test_who_reads_slowly_reads_to_the_end() -> None:
    """An answer of which some is read again and again is no answer that nobody reads."""

    class Calm(HastyProtocol):
        # Sockets hand on what is read in large pieces, and a busy machine late.
        patience_s = 5 * PATIENCE_S

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(REQUEST)
        came = 0
        while came < len(LARGE):
            part = await reader.read(65536)
            assert part
            came += len(part)
            await asyncio.sleep(PATIENCE_S / 10)
        return came

    assert connected(answering(LARGE), use, Calm) >= len(LARGE)


def test_a_client_whose_answers_are_small_is_not_awaited_either() -> None:
    """What is left of an answer when the connection ends is read soon, or not at all."""
    gone = asyncio.Event()

    class Noting(HastyProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            """Tell of the end."""
            super().connection_lost(exc)
            gone.set()

    async def scenario() -> None:
        async with served(answering(bytes(50_000)), Noting) as port:
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.setblocking(False)
                with suppress(BlockingIOError):
                    for _ in range(200):
                        client.send(REQUEST)
                async with asyncio.timeout(LONG_S):
                    await gone.wait()

    uvloop.run(scenario())


def test_a_large_body_may_wait_for_the_app() -> None:
    """What uvicorn itself does not take yet is not the client's to send."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(4 * PATIENCE_S)
        await answering()(scope, receive, send)

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        body = bytes(1_000_000)
        writer.write(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(body))
        writer.write(body)
        return await reader.readuntil(b"done")

    assert connected(app, use).startswith(b"HTTP/1.1 200")


def test_a_pipelined_body_may_wait_for_the_answer_before_it() -> None:
    """What is behind a request that the app is at is not awaited yet."""

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(REQUEST + REQUEST[:-2])
        await reader.readuntil(b"done")
        writer.write(REQUEST[-2:])
        return await reader.readuntil(b"done")

    assert b"HTTP/1.1 200" in connected(answering(after_s=4 * PATIENCE_S), use)


def test_who_waits_to_be_asked_for_the_body_is_left_alone() -> None:
    """A client that sends it when the app wants it owes nothing before."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(4 * PATIENCE_S)
        await answering()(scope, receive, send)

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        head, _, body = REQUEST.partition(b"\r\n\r\n")
        writer.write(head + b"\r\nexpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(body)
        return await reader.readuntil(b"done")

    assert connected(app, use).startswith(b"HTTP/1.1 200")


def test_a_connection_of_another_protocol_is_left_alone() -> None:
    """After an upgrade nothing is owed any more that HTTP knows of."""

    class Echo(asyncio.Protocol):
        """Stands in for WebSocket: it sends back what comes."""

        def __init__(self, **_: Any) -> None:
            self.transport: Any = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            """Remember the way back."""
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            """Send the same."""
            self.transport.write(data)

    async def scenario() -> bytes:
        async with served(answering(), ws=Echo) as port, asyncio.timeout(LONG_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(4 * PATIENCE_S)
            writer.write(b"still there")
            found = await reader.readexactly(11)
            writer.close()
            return found

    assert uvloop.run(scenario()) == b"still there"


class Transport(asyncio.Transport):
    """A connection that is being closed, of which the system takes as much as a test says."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.sizes = sizes
        self.aborted = asyncio.Event()

    def get_write_buffer_size(self) -> int:
        """What is left, less from look to look until it stays."""
        return self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]

    def is_closing(self) -> bool:
        """An idle connection whose last answer was not read to the end."""
        return True

    def abort(self) -> None:
        """Note the end."""
        self.aborted.set()


def test_the_rest_of_an_answer_counts_where_the_connection_is_closed() -> None:
    """As long as some of it goes there is an end to wait for; then there is none."""

    async def scenario() -> int:
        transport = Transport([5, 4, 3, 2, 1])
        config = uvicorn.Config(answering(), lifespan="off", log_level="critical")
        config.load()
        protocol = HastyProtocol(config, uvicorn.server.ServerState(), {})
        protocol.connection_made(transport)
        async with asyncio.timeout(LONG_S):
            await transport.aborted.wait()
        return len(transport.sizes)

    assert uvloop.run(scenario()) == 1
