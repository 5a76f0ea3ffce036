"""constraints.txt names everything that an installation for development brings, with the version that is here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
# What builds the package is installed apart from it, for the moment of building: its own needs are not seen here.
BUILDING = {"editables", "hatchling", "pathspec", "tomlkit", "trove-classifiers"}


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*", line) for line in lines), "names and exact versions alone"
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])
    return dict(line.split("==") for line in lines)


def needed(wanted: Iterable[str]) -> dict[str, str]:
    """Every distribution that these requirements bring, with its version here."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    left = [(Requirement(text), frozenset[str]()) for text in wanted]
    while left:
        requirement, extras = left.pop()
        if requirement.marker and not any(
            requirement.marker.evaluate({"extra": extra}) for extra in (extras or frozenset({""}))
        ):
            continue
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        here = distribution(name)
        found[name] = here.version
        left += [(Requirement(text), frozenset(requirement.extras) | {""}) for text in here.requires or ()]
    return found


def test_every_package_of_the_environment_is_pinned_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    pins, found = pinned(), needed(wanted)
    assert set(found) - set(pins) == set()
    assert {name: version for name, version in found.items() if pins[name] != version} == {}
    assert set(pins) - set(found) - BUILDING == set()


def test_what_builds_the_package_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = pinned()
    assert set(pins) >= BUILDING
    for text in project["build-system"]["requires"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_every_bound_admits_its_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = pinned()
    for text in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text
