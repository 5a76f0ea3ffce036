"""Which image a device will get: every rule, and what must hold for any catalogue."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm_tui.fleet.catalogue import Image
from mdm_tui.fleet.matching import Choice, Hardware, Matcher
from mdm_tui.server.world.image_choice import State, choose
from mdm_tui.server.world.uploads import ImageRecord

DEVICE = Hardware("HX7", "Hexa 7", "B1")


def image(key: str, build: str, **more: object) -> Image:
    given = {"product": "HX7", "part": "base", "ab": False, "size": 900, "built_at": float(ord(build[-1])), **more}
    return Image(key, key, build=build, **given)  # type: ignore[arg-type]


def partial(key: str, begin: str, build: str, size: int, **more: object) -> Image:
    return image(key, build, from_build=begin, size=size, **more)


def left(choice: Choice) -> dict[str, str]:
    return {one.image: one.why for one in choice.left}


HERE = image("here", "B1")


def test_the_full_image_is_taken_when_the_partial_ones_together_are_larger() -> None:
    images = [image("full", "B3", size=900), partial("p12", "B1", "B2", 500), partial("p23", "B2", "B3", 500)]
    choice = Matcher(images, [HERE]).choose(DEVICE)
    assert (choice.outcome, choice.images, choice.certainty, choice.size) == ("install", ("full",), "certain", 900)
    assert "less than the partial images together" in choice.reason
    smaller = [replace(images[0], size=1001), *images[1:]]
    choice = Matcher(smaller, [HERE]).choose(DEVICE)
    assert (choice.images, choice.size, choice.certainty) == (("p12", "p23"), 1000, "certain")
    assert left(choice) == {"full": "leads to the same build with a larger download"}
    even = [replace(images[0], size=1000), *images[1:]]
    assert Matcher(even, [HERE]).choose(DEVICE).images == ("p12", "p23")


def test_a_partial_image_must_start_from_the_devices_build() -> None:
    choice = Matcher([partial("p23", "B2", "B3", 10)], [HERE]).choose(DEVICE)
    assert (choice.outcome, choice.images) == ("none", ())
    assert left(choice) == {"p23": "starts from build B2, and the device has B1"}
    after_full = Matcher([image("full", "B2"), partial("p23", "B2", "B3", 10)], [HERE]).choose(DEVICE)
    assert after_full.images == ("full", "p23")
    assert "a full one first" in after_full.reason


def test_hardware_that_is_not_meant_disabled_images_and_those_that_say_nothing_are_told() -> None:
    other, disabled = image("other", "B2", product="ZZ"), image("off", "B2", enabled=False)
    choice = Matcher([other, disabled]).choose(DEVICE)
    assert (choice.outcome, choice.certainty) == ("none", "certain")
    assert left(choice) == {"other": "is made for ZZ", "off": "is disabled"}
    assert Matcher([image("silent", "B2", product="")]).choose(DEVICE).outcome == "unknown"
    assert Matcher([image("x", "B2", product="hx7 ")]).choose(DEVICE).outcome == "install"
    assert Matcher([image("x", "B2", product="", device="HX7")], [HERE]).choose(DEVICE).certainty == "likely"
    assert Matcher([HERE]).choose(Hardware("", "", "B1")).outcome == "unknown"
    by_model = Matcher([image("x", "B2", product="Hexa 7")]).choose(Hardware("", "HEXA 7", "B1"))
    assert (by_model.outcome, by_model.certainty) == ("install", "likely")


def test_partitions_are_concluded_from_the_devices_build_else_from_the_product_else_unknown() -> None:
    plain, packed = image("plain", "B2"), image("packed", "B2", ab=True)
    proven = Matcher([plain, packed], [replace(HERE, ab=True)]).choose(DEVICE)
    assert (proven.images, proven.certainty) == (("packed",), "certain")
    assert "not A/B" in left(proven)["plain"]
    alike = Matcher([packed]).choose(DEVICE)
    assert (alike.images, alike.certainty) == (("packed",), "likely")
    assert "do not report their partitions" in alike.reason
    unknown = Matcher([plain, packed]).choose(DEVICE)
    assert (unknown.outcome, unknown.images, unknown.certainty) == ("unknown", (), "unknown")
    assert unknown.reason.endswith("with them packed may be taken, without them plain")
    # The rollout has one kind only, the product has both: it may be refused.
    mixed = Matcher([packed], [image("elsewhere", "B0", ab=False)]).choose(DEVICE)
    assert (mixed.images, mixed.certainty) == (("packed",), "unknown")


def test_base_and_region_are_chosen_separately() -> None:
    choice = Matcher([image("base", "B2"), image("region", "R9", part="region")], [HERE]).choose(DEVICE)
    assert choice.images == ("base", "region")
    assert choice.certainty == "likely"
    assert "base: " in choice.reason and "region: " in choice.reason
    assert not choice.unseen
    # With the base in place only the region's is left, and no report will tell when it is installed.
    assert Matcher([image("here", "B1"), image("region", "R9", part="region")], [HERE]).choose(DEVICE).unseen


def test_older_builds_are_refused_where_the_rollout_says_so() -> None:
    old, device = image("old", "B1"), Hardware("HX7", "", "B5")
    known = [image("five", "B5")]
    refused = Matcher([old], known, refuse_older=True).choose(device)
    assert (refused.outcome, refused.certainty) == ("none", "certain")
    assert left(refused) == {"old": "is older than the device's build, which the rollout refuses"}
    allowed = Matcher([old], known, refuse_older=False).choose(device)
    assert (allowed.images, allowed.certainty) == (("old",), "certain")
    assert "is older than the device's build" in allowed.reason and allowed.older and not refused.older
    assert Matcher([old], known).choose(device).older and not Matcher([image("new", "B6")], known).choose(device).older
    assert Matcher([old], known).choose(device).certainty == "unknown"
    undated = Matcher([old], refuse_older=True).choose(device)
    assert (undated.images, undated.certainty) == (("old",), "unknown")
    assert "the rollout refuses older images" in undated.reason


def test_what_is_there_already_stays() -> None:
    choice = Matcher([HERE, image("older", "B0")]).choose(DEVICE)
    assert (choice.outcome, choice.images) == ("there", ())
    assert "has B1 already" in choice.reason
    assert Matcher([HERE, image("newer", "B2")]).choose(DEVICE).images == ("newer",)


def test_sizes_builds_and_dates_that_are_missing_make_it_less_than_certain() -> None:
    full, step = image("full", "B2", size=None), partial("p12", "B1", "B2", 5)
    assert Matcher([full, step], [HERE]).choose(DEVICE).certainty == "unknown"
    assert Matcher([full], [HERE]).choose(DEVICE).size is None
    unsaid = Matcher([image("full", "B2"), step], [HERE]).choose(Hardware("HX7", "", ""))
    assert (unsaid.images, unsaid.certainty) == (("full",), "unknown")
    undated = [image("a", "B2", built_at=None), image("b", "B3", built_at=None)]
    assert Matcher(undated, [HERE]).choose(DEVICE).certainty == "unknown"
    assert Matcher([image("nameless", "B2", size=1)], [HERE]).choose(DEVICE).images == ("nameless",)
    assert Matcher([Image("bare", "bare", product="HX7")], [HERE]).choose(DEVICE).images == ("bare",)


def test_the_preference_for_partial_images_is_said_where_it_may_decide() -> None:
    images = [image("full", "B2", size=5), partial("p12", "B1", "B2", 50)]
    choice = Matcher(images, [HERE], partial_first=True).choose(DEVICE)
    assert (choice.images, choice.certainty) == (("full",), "likely")
    assert "partial images first" in choice.reason


def test_devices_of_one_kind_are_decided_once_and_images_for_none_of_them_are_named() -> None:
    matcher = Matcher([image("full", "B2"), image("other", "B2", product="ZZ"), partial("p", "B7", "B8", 5)], [HERE])
    asked: list[Hardware] = []
    choose = matcher._choose
    matcher._choose = lambda hardware: asked.append(hardware) or choose(hardware)  # type: ignore[method-assign]
    devices = {f"d{n}": {"product": "HX7", "build": "B1" if n % 2 else "B2", "battery": n} for n in range(5_000)}
    found = matcher.predict(devices)
    assert len(asked) == 2
    assert [(kin.hardware.build, len(kin.devices)) for kin in found.kin] == [("B1", 2_500), ("B2", 2_500)]
    assert (found.count("install"), found.count("there")) == (2_500, 2_500)
    assert (found.unused, found.unfit) == (("other", "p"), ("other", "p"))
    assert found.by_device["d1"].images == ("full",)
    assert Matcher([]).predict(devices).by_device["d0"].reason == "the rollout has no images"


_BUILDS = ["B0", "B1", "B2", "B3", "B4", ""]
_IMAGES = st.lists(
    st.builds(
        Image,
        id=st.integers(0, 30).map(str),
        name=st.just(""),
        product=st.sampled_from(["HX7", "ZZ", ""]),
        part=st.sampled_from(["base", "region", "other", ""]),
        ab=st.sampled_from([True, False, None]),
        from_build=st.sampled_from(_BUILDS),
        build=st.sampled_from(_BUILDS),
        size=st.none() | st.integers(0, 1000),
        built_at=st.none() | st.integers(0, 9).map(float),
        enabled=st.sampled_from([True, False, None]),
    ),
    max_size=12,
    unique_by=lambda item: item.id,
)
_OPTION = st.sampled_from([True, False, None])


@given(_IMAGES, _IMAGES, st.sampled_from(_BUILDS), _OPTION, _OPTION)
def test_for_any_catalogue(
    images: list[Image], known: list[Image], build: str, older: bool | None, first: bool | None
) -> None:
    choice = Matcher(images, known, refuse_older=older, partial_first=first).choose(Hardware("HX7", "", build))
    by_id = {item.id: item for item in images}
    # Every image is either installed or told why not, once.
    told = [*choice.images, *(one.image for one in choice.left)]
    assert sorted(told) == sorted(by_id)
    assert all(one.why for one in choice.left)
    assert (choice.outcome == "install") == bool(choice.images)
    assert len({by_id[key].ab for key in choice.images} - {None}) <= 1
    steps: dict[str, list[Image]] = {}
    for key in choice.images:
        chosen = by_id[key]
        assert chosen.product == "HX7"
        assert chosen.enabled is not False
        steps.setdefault(chosen.part, []).append(chosen)
    for chain in steps.values():
        place = build
        for step in chain:
            if step.partial:
                assert step.from_build == place
            else:
                assert step is chain[0]
            place = step.build
        rivals = [item.size or 0 for item in images if not item.partial and item.build == place and place
                  and item.part == chain[0].part and item.product == "HX7" and item.enabled is not False
                  and item.ab in (chain[0].ab, None)]  # fmt: skip
        total = sum(step.size or 0 for step in chain)
        if older is not True and all(item.ab is None for item in images + known):
            assert all(total <= size for size in rivals)


_FULL = st.builds(
    Image,
    id=st.integers(0, 99).map(str),
    name=st.just(""),
    product=st.sampled_from(["HX7", "ZZ"]),
    part=st.just("base"),
    ab=st.booleans(),
    from_build=st.sampled_from(["B1", "B2", "B3", "", ""]),
    build=st.sampled_from(["B1", "B2", "B3", "B4"]),
    size=st.integers(1, 1000),
    enabled=st.booleans(),
)


@given(
    st.lists(_FULL, max_size=10, unique_by=lambda item: item.id),
    st.sampled_from(["B1", "B2", "B3"]),
    st.booleans(),
    st.booleans(),
    _OPTION,
)
def test_what_is_called_certain_is_what_the_embedded_service_does(
    images: list[Image], build: str, ab: bool, older: bool, first: bool | None
) -> None:
    # Each build has its day and its partitions, and each download its own size: then there is one answer.
    images = [
        replace(
            item,
            built_at=float(ord(item.build[-1])),
            size=(item.size or 0) * 1024 + (1 << index),
            ab=ab if item.build == build else item.ab,
        )
        for index, item in enumerate(images)
    ]
    here = Image("here", "", product="HX7", part="base", ab=ab, build=build, built_at=float(ord(build[-1])))
    choice = Matcher(images, [here], refuse_older=older, partial_first=first).choose(Hardware("HX7", "", build))
    records = [
        ImageRecord(
            item.id, "", "", {"type": item.part, "productId": item.product, "abUpdate": item.ab, "buildDate":
            int(item.built_at or 0), "preBuild": item.from_build, "postBuild": item.build}, item.size or 0, "",
            bool(item.enabled), 0, 0,
        )
        for item in images
    ]  # fmt: skip
    state = State("HX7", ab, build, ord(build[-1]), "")
    done = choose(records, state, check_date=older, partial_first=first)
    if choice.certainty == "certain":
        assert choice.images == tuple(step.uuid for step in done.steps)
    # Proof of partitions, sizes and dates is all there: only the preference for partial images may leave a doubt.
    assert choice.certainty == "certain" or first is not None or not images


def _full(name: str, build: str, size: int, **more: object) -> dict[str, object]:
    return {"name": name, "build": build, "size": size, "source": "", "ab": False, "product": "HX7", **more}


def _step(name: str, source: str, build: str, size: int, **more: object) -> dict[str, object]:
    return _full(name, build, size, source=source, **more)


# Written by hand from the service's own page, without looking at how either side finds its answer: "the format is
# different for AB or Non-AB partition", "the image can be partial image", "the size of all partial images is bigger
# than full image, it will select full image to meet the final image", "image is not for the device … rejected".
PAGE = (
    ("one full image", [_full("f", "B2", 900)], ["f"]),
    ("a partial one from its build", [_step("p", "B1", "B2", 90)], ["p"]),
    ("all partial ones are bigger", [_step("p", "B1", "B2", 500), _step("q", "B2", "B3", 500), _full("f", "B3", 900)],
     ["f"]),
    ("all partial ones are smaller", [_step("p", "B1", "B2", 400), _step("q", "B2", "B3", 400), _full("f", "B3", 900)],
     ["p", "q"]),
    ("one of them is bigger", [_step("p", "B1", "B2", 950), _full("f", "B2", 900)], ["f"]),
    ("the full one meets the final image, not one on the way",
     [_step("p", "B1", "B2", 600), _step("q", "B2", "B3", 600), _full("f", "B3", 900), _full("g", "B2", 10)],
     ["g", "q"]),
    ("three in a row, the last one makes it too much",
     [_step("p", "B1", "B2", 300), _step("q", "B2", "B3", 300), _step("r", "B3", "B4", 301), _full("f", "B4", 900)],
     ["f"]),
    ("a partial one that skips a build", [_step("p", "B1", "B2", 300), _step("q", "B2", "B3", 300),
     _step("r", "B1", "B3", 500)], ["r"]),
    ("from another build", [_step("q", "B2", "B3", 10)], []),
    ("for another device", [_full("f", "B2", 900, product="ZZ")], []),
    ("for another device beside one for it", [_full("x", "B4", 1, product="ZZ"), _full("f", "B2", 900)], ["f"]),
    ("for A/B partitions", [_full("x", "B3", 1, ab=True), _full("f", "B2", 900)], ["f"]),
    ("it is there", [_full("f", "B1", 900)], []),
)  # fmt: skip


@pytest.mark.parametrize(("case", "listed", "expected"), PAGE, ids=[case for case, _, _ in PAGE])
def test_both_sides_choose_what_the_page_says(case: str, listed: list[dict[str, object]], expected: list[str]) -> None:
    ours = [
        image(str(one["name"]), str(one["build"]), size=one["size"], from_build=one["source"], ab=one["ab"],
              product=one["product"])
        for one in listed
    ]  # fmt: skip
    choice = Matcher(ours, [HERE]).choose(DEVICE)
    assert list(choice.images) == expected
    theirs = [
        ImageRecord(str(one["name"]), "", str(one["name"]), {
            "type": "base", "abUpdate": one["ab"], "productId": one["product"], "preBuild": one["source"],
            "postBuild": one["build"], "buildDate": ord(str(one["build"])[-1]),
        }, int(str(one["size"])), "", True, 0, 0)
        for one in listed
    ]  # fmt: skip
    unit = State("HX7", False, "B1", ord("1"), "")
    assert [one.name for one in choose(theirs, unit, check_date=False, partial_first=None).steps] == expected
