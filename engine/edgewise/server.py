"""The application as a server process builds it: from environment variables, once per worker."""

from __future__ import annotations

import errno
import logging
import os
import socket
from pathlib import Path

import msgspec
import uvicorn
from starlette.types import ASGIApp

from edgewise.asgi.admin import ADMIN_TOKEN_VARIABLE
from edgewise.asgi.app import build_app
from edgewise.asgi.client_address import AddressSettings, parse_force_ip_from
from edgewise.asgi.interface import HttpSettings
from edgewise.asgi.klaviyo_settings import read_klaviyo_settings
from edgewise.asgi.previews import PREVIEW_SECRET_VARIABLE
from edgewise.enrich.firmographics_settings import read_firmographics_settings
from edgewise.enrich.geo_following import GeoFollower
from edgewise.enrich.geo_lookup import GeoLookup
from edgewise.enrich.opening import open_firmographics
from edgewise.enriching import Enricher
from edgewise.errors import InputError
from edgewise.garbage import calm_collector
from edgewise.keeping import KEPT_PROFILES
from edgewise.live import LiveService
from edgewise.reload.reloader import Reloader
from edgewise.secret import Secret
from edgewise.slow_clients import PatientProtocol
from edgewise.stores.urls import open_store

_SETTINGS_VARIABLE = "EDGEWISE_SERVER"

_LONGEST_FAREWELL_S = 10
"""Requests that began before the server was told to stop have so long to end: no answer takes it,
and a client that does not send the rest of its own must not keep the server."""


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `edgewise serve` was asked for.

    Args:
        copies: where sources of rules keep their last good copies.
        default_environment: organization and environment of the short paths, if there are any.
        geo: files with databases of locations; without any none is found.
        trusted_proxies, force_ip_from: as `edgewise serve` takes them.
    """

    rules: str
    store: str
    copies: str
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    default_environment: tuple[str, str] | None = None
    geo: tuple[str, ...] = ()
    trusted_proxies: int = 0
    force_ip_from: tuple[str, ...] = ()


def make_app() -> ASGIApp:
    """Return the application of the settings that `run` left for its worker processes."""
    settings = msgspec.json.decode(os.environ[_SETTINGS_VARIABLE], type=ServerSettings)
    reloader = Reloader(Path(settings.rules), Path(settings.copies))
    service = LiveService(
        reloader,
        open_store(settings.store),
        enricher=Enricher(
            GeoFollower([Path(file) for file in settings.geo]) if settings.geo else None,
            open_firmographics(os.environ),
        ),
        # Several workers would keep what the others have written since.
        kept_profiles=KEPT_PROFILES if settings.workers == 1 else 0,
    )
    http_settings = HttpSettings(
        admin_token=Secret(os.environ.get(ADMIN_TOKEN_VARIABLE, "")),
        preview_secret=Secret(os.environ.get(PREVIEW_SECRET_VARIABLE, "")),
        default_environment=settings.default_environment,
        klaviyo=read_klaviyo_settings(os.environ, settings.workers),
        addresses=AddressSettings(
            trusted_proxies=settings.trusted_proxies,
            force_ip_from=parse_force_ip_from(settings.force_ip_from),
        ),
    )
    _show_log()
    calm_collector()
    return build_app(service, http_settings, webhooks=service)


def _show_log() -> None:
    """Print what the engine tells: that a change of rules went live, above all, or was refused."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    logging.getLogger("edgewise").setLevel(logging.INFO)


def require_free_address(host: str, port: int) -> None:
    """Make sure that a server can listen there, before it says that it does.

    Errors: InputError that says what is in the way.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # A port that an ended server has left a moment ago is free, for the server as for this.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        hint = "; name another port" if error.errno == errno.EADDRINUSE else ""
        raise InputError(f"cannot listen on {host}, port {port}: {error.strerror}{hint}") from error


def check_settings(settings: ServerSettings) -> None:
    """Read all that a worker will, so that a fault is one message and not a failing worker.

    Errors: InputError.
    """
    read_klaviyo_settings(os.environ)
    read_firmographics_settings(os.environ)
    parse_force_ip_from(settings.force_ip_from)
    if settings.geo:
        GeoLookup([Path(file) for file in settings.geo])


def run(settings: ServerSettings) -> None:
    """Serve until the process is told to stop.

    uvloop is not a matter of taste here: behind a shared listener the standard loop leaves Nagle's
    algorithm on, and every answer on a kept connection then takes 40 ms. It is told not to read
    headers of proxies, since it believes whatever comes from this machine.

    Args:
        settings: that `check_settings` has found no fault in.
    """
    os.environ[_SETTINGS_VARIABLE] = msgspec.json.encode(settings).decode()
    uvicorn.run(
        "edgewise.server:make_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http=PatientProtocol,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LONGEST_FAREWELL_S,
    )
