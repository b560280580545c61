"""What commands share: the type of the parsers they register with."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from typing import TypeAlias

# A text, because argparse's class takes its parameter only in annotations.
Subparsers: TypeAlias = "_SubParsersAction[ArgumentParser]"
"""What `add_subparsers` returns; argparse has no public name for it."""
