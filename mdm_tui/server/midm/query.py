"""What list calls ask: page from 0, size, a filter as JSON, a field path to sort by, a direction.

A filter is an object of dotted paths over the object as it is sent: a value must be equal, a list means any of its
values. Objects inside it may be written out instead of dots.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from starlette.datastructures import QueryParams

from ..reading import NotJson, strict_json
from .envelope import bad_value

DEFAULT_SIZE = 10
LARGEST_SIZE = 1000
LARGEST_PAGE = 1_000_000_000
LONGEST_FILTER = 200_000
MOST_VALUES = 5000
_PATH = re.compile(r"\w[\w-]*(\.\w[\w-]*){0,7}")

Wanted = dict[str, list[Any]]


def whole(query: QueryParams, name: str, low: int, high: int, default: int) -> int:
    """A whole number from the query. Raises Refusal."""
    text = query.get(name)
    if text is None or text == "":
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", text) or not low <= int(text) <= high:
        raise bad_value(name, f"must be a whole number between {low} and {high}")
    return int(text)


def paging(query: QueryParams, shift: int) -> tuple[int, int]:
    """(first row, size): pages from 0, size 1 to 1000, 10 when absent. shift: rows by which the list has moved."""
    page, size = whole(query, "page", 0, LARGEST_PAGE, 0), whole(query, "size", 1, LARGEST_SIZE, DEFAULT_SIZE)
    return max(0, page * size + shift), size


def text(query: QueryParams, name: str) -> str:
    """A parameter, "" when it is absent. `null` is how some clients write that they leave it out."""
    value = query.get(name, "")
    return "" if value == "null" else value


def switch(query: QueryParams, name: str) -> bool:
    """True or false, false when absent. Raises Refusal."""
    value = text(query, name).lower()
    if value not in ("", "true", "false"):
        raise bad_value(name, "must be true or false")
    return value == "true"


def sorting(query: QueryParams, known: Callable[[str], bool]) -> tuple[str, bool]:
    """(path or "", descending). Raises Refusal."""
    path = text(query, "sortBy")
    if path and not (_PATH.fullmatch(path) and known(path)):
        raise bad_value("sortBy", f"names no field: {path[:80]}")
    direction = text(query, "direction").lower()
    if direction not in ("", "asc", "desc"):
        raise bad_value("direction", "must be asc or desc")
    return path, direction == "desc"


def filters(query: QueryParams, known: Callable[[str], bool]) -> Wanted:
    """Path → values of which one must be there. Raises Refusal."""
    given = text(query, "filter")
    if not given:
        return {}
    if len(given) > LONGEST_FILTER:
        raise bad_value("filter", f"must not be longer than {LONGEST_FILTER} characters")
    try:
        asked = strict_json(given)
    except NotJson:
        raise bad_value("filter", "is not JSON") from None
    if not isinstance(asked, dict):
        raise bad_value("filter", "must be a JSON object")
    wanted: Wanted = {}
    _flatten(asked, "", wanted)
    for path in wanted:
        if not (_PATH.fullmatch(path) and known(path)):
            raise bad_value("filter", f"names no field: {path[:80]}")
    if sum(map(len, wanted.values())) > MOST_VALUES:
        raise bad_value("filter", f"must not have more than {MOST_VALUES} values")
    return wanted


def _flatten(asked: dict[str, Any], above: str, wanted: Wanted, depth: int = 0) -> None:
    if depth > 8:
        raise bad_value("filter", "is nested too deep")
    for name, value in asked.items():
        path = f"{above}.{name}" if above else name
        if isinstance(value, dict):
            _flatten(value, path, wanted, depth + 1)
        elif isinstance(value, list):
            if any(isinstance(one, (dict, list)) for one in value):
                raise bad_value("filter", f"must have plain values in the list of {path[:80]}")
            wanted[path] = value
        else:
            wanted[path] = [value]


def values_at(shape: Any, path: str) -> list[Any]:
    """The values a path leads to; through a list, those of all its items."""
    found = [shape]
    for part in path.split("."):
        step: list[Any] = []
        for value in found:
            several = value if isinstance(value, list) else (value,)
            step += [one[part] for one in several if isinstance(one, dict) and part in one]
        found = step
    return [one for value in found for one in (value if isinstance(value, list) else (value,))]


def matches(shape: Any, wanted: Wanted) -> bool:
    """Whether each path leads to one of its values; null also means that nothing is there."""
    for path, options in wanted.items():
        found = values_at(shape, path) or [None]
        if not any(_equal(value, option) for value in found for option in options):
            return False
    return True


def _equal(value: Any, option: Any) -> bool:
    return isinstance(value, bool) is isinstance(option, bool) and value == option


def rank(shape: Any, path: str) -> tuple[int, Any]:
    """A total order over mixed values: nothing, then booleans and numbers, then text, then the rest as text."""
    found = values_at(shape, path)
    value = found[0] if found else None
    if value is None:
        return (0, 0)
    if isinstance(value, (bool, int, float)):
        return (1, value)
    return (2, value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def chosen(shapes: Iterable[dict[str, Any]], wanted: Wanted, path: str, descending: bool) -> list[dict[str, Any]]:
    """A short list filtered and ordered; without a path in the order it came."""
    found = [shape for shape in shapes if matches(shape, wanted)]
    if path:
        found.sort(key=lambda shape: rank(shape, path), reverse=descending)
    elif descending:
        found.reverse()
    return found


def known_in(paths: Collection[str], free: tuple[str, ...] = ()) -> Callable[[str], bool]:
    """Whether a path is among these, above one of them, or below a field whose content is free."""
    above = {path[:i] for path in paths for i, letter in enumerate(path) if letter == "."}
    allowed = above | set(paths)
    return lambda path: path in allowed or path.startswith(free)
