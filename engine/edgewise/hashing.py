"""The hashes that put a visitor into a bucket; each is an integer from 0 to 2^32 - 1.

An experience is allocated in one of two modes, each with its own hash.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

import mmh3
from xxhash import xxh3_64_digest, xxh3_64_intdigest

MURMUR3: Final = "murmur3"
XXH3: Final = "xxh3"
MODES: Final = (MURMUR3, XXH3)
HASH_COUNT: Final = 2**32
_unpack_halves: Final = Struct(">II").unpack


def murmur3_32(text: str) -> int:
    """Return the 32-bit MurmurHash3 of a text as the clients compute it, unsigned, seed 0.

    Source: the clients hash the low byte of each UTF-16 code unit, not UTF-8. For ASCII that is
    the same.
    """
    return mmh3.hash(low_bytes(text), 0, False)


def low_bytes(text: str) -> bytes:
    """Return what murmur3 hashes of a text: of two texts joined, it is their low bytes joined."""
    return text.encode() if text.isascii() else text.encode("utf-16-le", "surrogatepass")[::2]


def xxh3_seed(experience_id: str) -> int:
    """Return the 64-bit seed that makes one experience independent of all others."""
    return xxh3_64_intdigest(experience_id.encode("utf-8", "surrogatepass"))


def xxh3_halves(stable_id: bytes, seed: int) -> tuple[int, int]:
    """Return the high and the low 32 bits of the seeded 64-bit XXH3 of a stable_id."""
    # The digest is big-endian; unpacking it is cheaper than shifting a 64-bit integer.
    return _unpack_halves(xxh3_64_digest(stable_id, seed))
