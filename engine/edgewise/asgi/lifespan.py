"""The service starts and stops with the server that runs the application."""

from __future__ import annotations

import logging

from starlette.types import Receive, Send

from edgewise.asgi.interface import Service

_LOG = logging.getLogger("edgewise.asgi")


async def run_lifespan(service: Service, receive: Receive, send: Send) -> None:
    """Start the service, wait for the server to end, and stop the service.

    Errors: none; a failure goes to the log, and the server is told that it failed.
    """
    await receive()
    try:
        await service.start()
    except Exception as error:  # noqa: BLE001 - the server decides what a failed start means
        _LOG.exception("The service did not start.")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    try:
        await service.stop()
    except Exception as error:  # noqa: BLE001 - the server ends in any case
        _LOG.exception("The service did not stop cleanly.")
        await send({"type": "lifespan.shutdown.failed", "message": str(error)})
        return
    await send({"type": "lifespan.shutdown.complete"})
