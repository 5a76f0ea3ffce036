"""Print constraints.txt: the exact versions, in this environment, of all that the project needs, and of nothing else.

Run it where `make check test` has just passed: `.venv/bin/python scripts/pins.py > constraints.txt`
(with hatchling installed there too, which builds in an environment of its own).
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement


def closure(wanted: list[str]) -> dict[str, str]:
    """Name and version of everything that `wanted` brings with it here."""
    found: dict[str, str] = {}
    queue = [Requirement(line) for line in wanted]
    done: set[tuple[str, frozenset[str]]] = set()
    while queue:
        need = queue.pop()
        name = re.sub(r"[-_.]+", "-", need.name).lower()
        if (name, frozenset(need.extras)) in done:
            continue
        done.add((name, frozenset(need.extras)))
        try:
            dist = distribution(need.name)
        except PackageNotFoundError:
            print(f"{need.name} is not installed here", file=sys.stderr)
            continue
        found[name] = dist.version
        for line in dist.requires or []:
            below = Requirement(line)
            if below.marker is None or any(below.marker.evaluate({"extra": extra}) for extra in ("", *need.extras)):
                queue.append(below)
    return found


def main() -> None:
    project = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
    ]
    for name, version in sorted(closure(wanted).items()):
        print(f"{name}=={version}")


if __name__ == "__main__":
    main()
