"""No word of one service stands in what serves them all; a second service needs no second console."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "mdm_tui"
ROOMS = ("fleet", "store", "services", "tui")
# Names of services and the words that only one of them has for a thing.
WORDS = re.compile(
    r"(?i:applivery|midm|visionmax|mdm_?user|mdm_?asset|site_?uuid|hardware_info)|(?<![A-Za-z])(?:aosp?|AOSP?)(?![a-z])"
)
# file → word → why it may stand there. Empty, and best left so.
ALLOWED: dict[str, dict[str, str]] = {}


def found_in(text: str) -> set[str]:
    return {match.group().lower() for match in WORDS.finditer(text)}


def test_no_vendor_word_stands_in_the_rooms_that_serve_all() -> None:
    found = {
        str(path.relative_to(ROOT)): words
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if (words := found_in(path.read_text()) - set(ALLOWED.get(str(path.relative_to(ROOT)), ())))
    }
    assert not found


@pytest.mark.parametrize("text", ["aosPolicyId", "MiDM", "policy.aosPolicy.name", "mdmUser", "mdmAssetId", "siteUuid"])
def test_the_words_are_recognised(text: str) -> None:
    assert found_in(text)


@pytest.mark.parametrize("text", ["chaos", "kaosphere", "a policy", "amidst", "an asset"])
def test_and_other_words_are_not(text: str) -> None:
    assert not found_in(text)
