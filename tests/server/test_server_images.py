"""Which image the service chooses for a unit."""

from __future__ import annotations

import pytest

from mdm_tui.server.world.image_choice import State, choose
from mdm_tui.server.world.uploads import ImageRecord

UNIT = State(product="TC52", ab=False, build="B1", built_at=100, region="")


def _image(
    name: str, build: str, size: int, source: str = "", *, at: int = 0, ab: bool = False, product: str = "TC52",
    part: str = "base", enabled: bool = True,
) -> ImageRecord:  # fmt: skip
    info = {
        "type": part, "abUpdate": ab, "productId": product, "preBuild": source, "postBuild": build,
        "buildDate": at or int(build[1:]) * 100,
    }  # fmt: skip
    return ImageRecord(name, f"file-{name}", name, info, size, f"{name}.zip", enabled, 0, 0)


FULL = _image("full", "B3", 100)
P12 = _image("p12", "B2", 30, "B1")
P23 = _image("p23", "B3", 40, "B2")


def _names(
    images: list[ImageRecord], unit: State = UNIT, *, dates: bool = False, partial: bool | None = True
) -> list[str]:
    return [image.name for image in choose(images, unit, check_date=dates, partial_first=partial).steps]


def _refusal(images: list[ImageRecord], unit: State = UNIT, *, dates: bool = False) -> str:
    choice = choose(images, unit, check_date=dates, partial_first=True)
    assert choice.steps == ()
    return choice.refused


def test_partial_images_that_are_smaller_together_are_taken_in_order() -> None:
    assert _names([P23, FULL, P12]) == ["p12", "p23"]
    assert choose([P23, FULL, P12], UNIT, check_date=False, partial_first=True).size == 70


def test_the_full_image_is_taken_when_the_partial_ones_exceed_it() -> None:
    assert _names([_image("p12", "B2", 70, "B1"), P23, FULL]) == ["full"]


@pytest.mark.parametrize(("partial", "expected"), [(True, ["p12", "p23"]), (None, ["p12", "p23"]), (False, ["full"])])
def test_between_equal_downloads_the_rollout_decides(partial: bool | None, expected: list[str]) -> None:
    assert _names([_image("p12", "B2", 60, "B1"), P23, FULL], partial=partial) == expected


def test_a_chain_that_does_not_start_at_the_units_build_is_no_way() -> None:
    assert _names([P23, FULL]) == ["full"]
    assert "no partial image starts from build B1" in _refusal([P23])


def test_the_newest_build_is_the_aim() -> None:
    assert _names([FULL, _image("newer", "B5", 900), P12, P23]) == ["newer"]


def test_images_for_other_products_partitions_or_switched_off_are_refused() -> None:
    assert _refusal([_image("x", "B3", 1, product="CT45")]) == "none of the images is made for TC52"
    assert "packed for other partitions" in _refusal([_image("x", "B3", 1, ab=True)])
    assert _refusal([_image("x", "B3", 1, enabled=False)]) == "none of the images is made for TC52"
    assert _names([_image("x", "B3", 1, ab=True), FULL]) == ["full"]


def test_older_images_are_refused_where_the_rollout_says_so() -> None:
    unit = State("TC52", False, "B9", 900, "")
    assert "older than build B9" in _refusal([FULL], unit, dates=True)
    assert _names([FULL], unit) == ["full"]


def test_a_unit_that_is_there_needs_nothing() -> None:
    unit = State("TC52", False, "B3", 300, "")
    choice = choose([P12, P23, FULL], unit, check_date=True, partial_first=True)
    assert (choice.steps, choice.refused) == ((), "")


def test_base_and_region_are_chosen_each_for_itself() -> None:
    region = _image("region", "R1", 5, part="region")
    assert _names([region, P12, P23, FULL]) == ["p12", "p23", "region"]
    assert _names([region, FULL], State("TC52", False, "B3", 300, "R1")) == []


def test_partial_images_in_a_circle_end() -> None:
    back = _image("back", "B1", 1, "B2", at=50)
    assert _names([P12, back]) == ["p12"]
