"""Texts that must not be seen: keys and tokens for the services of others."""

from __future__ import annotations


class Secret:
    """A text that is never shown by accident: only `reveal` gives it away."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(...)" if self._text else "Secret()"

    def __bool__(self) -> bool:
        return bool(self._text)

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text


NO_SECRET = Secret("")
