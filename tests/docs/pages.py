"""The pages of the documentation as the tests see them: blocks, headings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parent.parent.parent
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CHANGELOG.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
]

_FENCE = re.compile(r"```(.*)")
_HEADING = re.compile(r"#{1,6} (.+)")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_NO_SLUG = re.compile(r"[^\w\- ]")


class Block(NamedTuple):
    """A fenced block: its language, the words behind the language, and where it stands."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        """The page and line, as a test's id."""
        return f"{self.page}:{self.line}"


def name_of(page: Path) -> str:
    """The path of a page inside the repository."""
    return page.relative_to(REPOSITORY).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    blocks = []
    opened: tuple[int, str] | None = None
    text: list[str] = []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        fence = _FENCE.fullmatch(line)
        if fence and opened is None:
            opened, text = (number, fence[1]), []
        elif fence and opened is not None:
            language, *words = opened[1].split() or [""]
            blocks.append(
                Block(name_of(page), opened[0], language, tuple(words), "\n".join(text) + "\n")
            )
            opened = None
        else:
            text.append(line)
    if opened is not None:
        raise ValueError(f"{name_of(page)}:{opened[0]}: the block is never closed")
    return blocks


def all_blocks(language: str) -> list[Block]:
    """Every block of one language, on all pages."""
    return [block for page in PAGES for block in blocks_of(page) if block.language == language]


def prose_of(page: Path) -> Iterator[str]:
    """The lines of a page that stand in no block."""
    inside = False
    for line in page.read_text("utf-8").splitlines():
        if _FENCE.fullmatch(line):
            inside = not inside
        elif not inside:
            yield line


def anchors_of(page: Path) -> set[str]:
    """The anchors that a page's headings make, as code hosts spell them."""
    anchors: set[str] = set()
    for line in prose_of(page):
        if heading := _HEADING.fullmatch(line):
            slug = _NO_SLUG.sub("", heading[1].strip().lower()).replace(" ", "-")
            numbers = (f"{slug}-{number}" for number in range(1, 100))
            anchors.add(
                slug if slug not in anchors else next(n for n in numbers if n not in anchors)
            )
    return anchors


def links_of(page: Path) -> list[str]:
    """The targets of every link of a page, in order."""
    return [target for line in prose_of(page) for target in _LINK.findall(line)]
