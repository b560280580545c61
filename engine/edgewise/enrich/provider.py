"""What a source of firmographics has to offer: the answer to one question, and an end."""

from __future__ import annotations

from typing import Any, Protocol


class ProviderFault(Exception):
    """A provider did not answer, or not with anything that can be used.

    Args:
        problem: what happened, for a log: it names neither an address nor a key.
        pause_s: how long not to ask for any address; 0 where no more than this question failed.
    """

    def __init__(self, problem: str, pause_s: float = 0.0) -> None:
        super().__init__(problem)
        self.pause_s = pause_s


class Provider(Protocol):
    """Knows which company an address of the internet belongs to.

    It has to remember nothing, to try nothing twice, and to mind no time: whoever asks does that.

    Attributes:
        name: of the provider, for logs and `/health`.
        ipv6: whether it is worth asking for such addresses.
    """

    name: str
    ipv6: bool

    async def find(self, address: str) -> dict[str, Any] | None:
        """Return a JSON object about the company, None where it is known that there is none.

        Args:
            address: one of the public internet, in its canonical form.
        Errors: ProviderFault where there is no answer; any other exception counts as one too.
        """

    async def close(self) -> None:
        """Let go of what is held; nothing is asked afterwards."""
