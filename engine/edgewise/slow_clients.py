"""Connections on which a client is slow without end: they are closed, since each takes a socket.

uvicorn closes a connection that is idle after an answer. On one where it waits for a request, for
the rest of one, or for an answer to be read, it waits for ever.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

PATIENCE_S = 30.0
"""What a client owes for so long, and at most twice as long, closes its connection."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with an end to waiting for a client.

    A request must be there as a whole in that time, however fast it comes. An answer may take
    longer as long as the system takes some of it from the server in that time, which it does in
    pieces of up to some megabytes. What the application is at is not the client's to do.

    Cost: one timer a connection; nothing on a request.
    """

    patience_s = PATIENCE_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look whether the client goes on."""
        super().connection_made(transport)
        self._look(())

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._looking.cancel()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Look no more: the connection is another protocol's now."""
        self._looking.cancel()
        super().handle_websocket_upgrade()

    def _look(self, before: tuple[object, ...]) -> None:
        owed = self._owed()
        if owed and owed == before:
            self.transport.abort()
            return
        self._looking = self.loop.call_later(self.patience_s, self._look, owed)

    def _owed(self) -> tuple[object, ...]:
        """What the client has to do before anything goes on; empty where it is not its turn."""
        cycle: RequestResponseCycle | None = self.cycle
        unread_bytes = self.transport.get_write_buffer_size()
        if self.transport.is_closing() or self.flow.write_paused:
            return ("read the answer", cycle, unread_bytes)
        if cycle is None:
            return ("send a request",)
        if self.flow.read_paused or self.pipeline:
            return ()
        if cycle.waiting_for_100_continue:
            return ()
        if cycle.more_body:
            return ("send the rest of the body", cycle)
        if cycle.response_complete and self.timeout_keep_alive_task is None:
            return ("send the rest of the head", cycle)
        return ()
