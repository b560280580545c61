"""What the README shows for a server runs with the published package as it stands there."""

from __future__ import annotations

import subprocess

from tests.docs.pages import REPOSITORY, blocks_of
from tests.docs.workspace import SHOWN_URL
from tests.sdk.harness import HERE

PACKAGE = "@ninetailed/experience.js-node"


def test_node_example(server_url: str) -> None:
    """The example for Node prints what the README says."""
    blocks = blocks_of(REPOSITORY / "README.md")
    shown = next(i for i, one in enumerate(blocks) if one.language == "js" and PACKAGE in one.text)
    # From here Node finds the packages.
    done = subprocess.run(
        ["node", "--input-type=module", "-"],
        input=blocks[shown].text.replace(SHOWN_URL, server_url),
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == blocks[shown + 1].text
