"""Rollouts that want different things of one device."""

from __future__ import annotations

from mdm_tui.fleet.conflicts import Claim, Wanted, clashes, clashes_inside
from mdm_tui.fleet.matching import Choice

NAMES = {f"d{n}": f"Dock {n}" for n in range(9)}


def ids(*numbers: int) -> frozenset[str]:
    return frozenset(f"d{n}" for n in numbers)


def app(version: str, code: int | None, key: str = "a") -> list[Wanted]:
    return [Wanted(key, version, code)]


def ends(*builds: str, part: str = "base") -> Choice:
    return Choice("install", ("i",), "", "certain", ends=tuple((part, build) for build in builds))


def test_another_version_on_a_shared_device_is_a_clash_and_the_same_version_is_none() -> None:
    mine = Claim("m", "Mine", ids(1, 2, 3, 4, 5), {"com.x": app("1.4", 14), "com.same": app("1", 1)})
    other = Claim("o", "Other", ids(2, 3, 4, 5, 6), {"com.x": app("1.2", 12), "com.same": app("1", 1, "b")})
    (clash,) = clashes(mine, [other, mine], NAMES)
    assert (clash.kind, clash.other, clash.devices, clash.examples) == ("app", "o", 4, ("d2", "d3", "d4"))
    assert clash.sentence == "Other installs com.x 1.2, this one 1.4: 4 devices (Dock 2, Dock 3, Dock 4, …)"


def test_rollouts_without_a_common_device_never_clash() -> None:
    mine = Claim("m", "Mine", ids(1), {"com.x": app("1", 1)}, {"d1": ends("B1")}, "apps")
    other = Claim("o", "Other", ids(2), {"com.x": app("2", 2)}, {"d1": ends("B2")}, "otas")
    assert clashes(mine, [other], NAMES) == []


def test_images_clash_where_they_end_on_another_build() -> None:
    mine = Claim("m", "", ids(1, 2, 3), choices={"d1": ends("B2"), "d2": ends("B2"), "d3": ends("R2", part="region")})
    other = Claim("o", "", ids(1, 2, 3), choices={"d1": ends("B3"), "d2": ends("B2"), "d3": ends("B9")})
    (clash,) = clashes(mine, [other], {})
    assert (clash.kind, clash.examples) == ("image", ("d1",))
    assert clash.sentence == "o brings the base image to B3, this one to B2: 1 device (d1)"


def test_orders_clash_only_where_both_say_one_and_come_last() -> None:
    mine = Claim("m", "Mine", ids(1), {"com.x": app("", None)}, order="apps")
    assert clashes(mine, [Claim("o", "O", ids(1), order="none"), Claim("p", "P", ids(1))], NAMES) == []
    both = Claim("q", "Q", ids(1), {"com.x": app("", None, "z")}, order="otas")
    assert [clash.kind for clash in clashes(mine, [both], NAMES)] == ["app", "order"]
    assert clashes(mine, [both], NAMES)[1].sentence == "Q applies otas first, this one apps: 1 device (Dock 1)"


def test_a_new_rollout_has_no_id_and_is_compared_with_others_that_have_none() -> None:
    mine = Claim("", "", ids(1), {"com.x": app("1", 1)})
    assert len(clashes(mine, [Claim("", "", ids(1), {"com.x": app("2", 2)})], NAMES)) == 1


def test_one_rollout_with_two_versions_of_a_package() -> None:
    assert clashes_inside(Claim("m", "", ids(), {"com.x": [*app("1", 1), *app("2", 2, "b")]})) == [
        "com.x is in it in 2 versions: 1, 2"
    ]
    assert clashes_inside(Claim("m", "", ids(), {"com.x": [*app("1", 1), *app("1", 1, "b")]})) == []
