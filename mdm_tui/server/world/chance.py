"""Chance without state: numbers that depend on the integers given alone, so that any report can be computed again."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def mix(*parts: int) -> int:
    """A 64-bit number that looks random and is the same for the same parts."""
    h = 0x9E3779B97F4A7C15
    for part in parts:
        h = ((h ^ part) * 0xBF58476D1CE4E5B9) & _MASK
        h ^= h >> 29
    h = (h * 0x94D049BB133111EB) & _MASK
    return h ^ (h >> 32)


def unit(*parts: int) -> float:
    """As `mix`, between 0 (included) and 1 (excluded)."""
    return (mix(*parts) >> 11) * 1.1102230246251565e-16


def hex_digits(count: int, *parts: int) -> str:
    """`count` hexadecimal digits."""
    text = ""
    block = 0
    while len(text) < count:
        text += f"{mix(*parts, 7919, block):016x}"
        block += 1
    return text[:count]


def object_id(moment: int, family: int, number: int, seed: int) -> str:
    """24 hexadecimal digits in the usual shape: seconds, a family of objects, a running number."""
    return f"{moment // 1000 & 0xFFFFFFFF:08x}{hex_digits(10, seed, family)}{number & 0xFFFFFF:06x}"
