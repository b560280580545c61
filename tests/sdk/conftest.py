"""One server and one bridge to the SDKs for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.harness import Bridge, missing_tool, require_packages, running_server


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a running Edgewise with the repository's rules and no profiles yet."""
    if lack := missing_tool():
        pytest.skip(lack)
    require_packages()
    folder: Path = tmp_path_factory.mktemp("server")
    with running_server(folder) as url:
        yield url


@pytest.fixture(scope="session")
def bridge(server_url: str) -> Iterator[Bridge]:
    """The API clients of the SDK packages, pointed at the server."""
    with Bridge(server_url) as bridge:
        yield bridge
