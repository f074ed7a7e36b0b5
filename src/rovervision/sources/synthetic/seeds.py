"""Randomness by name: the same words give the same numbers in every process and in any order."""

import hashlib

import numpy as np


def seed_of(*words: object) -> int:
    """Return a 64-bit number that depends on the words alone."""
    digest = hashlib.blake2b("\x1f".join(str(word) for word in words).encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "little")


def generator(*words: object) -> np.random.Generator:
    """Return a generator of its own for the thing that the words name."""
    return np.random.default_rng(seed_of(*words))
