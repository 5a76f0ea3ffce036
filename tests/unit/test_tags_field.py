"""The tags field of the device form: what is held stands there so that reading it back gives the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mdm_tui.tui.screens.device_form import tags_of, tags_text

tricky = st.text(st.sampled_from('a, "\t\n\u00a0é'), max_size=8) | st.text(max_size=8)


@given(st.lists(tricky, max_size=5))
@example(["Dock 4, west", '"', '""', " ", "", 'a"b', ',"', "x "])
def test_tags_survive_the_field(tags: list[str]) -> None:
    assert tags_of(tags_text(tags)) == list(dict.fromkeys(tags))


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", []),
        (" , ,", []),
        ("dock, night , dock", ["dock", "night"]),
        ('"Dock 4, west", night', ["Dock 4, west", "night"]),
        ('"Dock 4, we', ["Dock 4, we"]),
        ('"', []),
        ('12" screen', ['12" screen']),
        ('"a" b, c', ["a b", "c"]),
    ],
)
def test_what_is_typed(text: str, tags: list[str]) -> None:
    assert tags_of(text) == tags
