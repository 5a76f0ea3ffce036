"""Checking what comes in: path and query parameters, and bodies against a small schema language.

A schema is a dict with `type` (object, array, string, integer, number, boolean, any), and as fits: `properties`,
`required`, `items`, `max_length`, `pattern`, `enum`, `minimum`, `maximum`, `nullable`. Unknown properties are ignored.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.datastructures import QueryParams

from .envelope import ApiError, invalid

SAFE_INTEGER = 9007199254740991
ID_PATTERN = re.compile(r"[a-fA-F0-9]{24}")
ORGANIZATION_PATTERN = re.compile(r"(([a-fA-F0-9]{24})|([a-zA-Z0-9\\-]{3,}))")
SORT_PATTERN = re.compile(r"([\w.]*)((:asc)|(:desc))?")
DEFAULT_LIMIT = 20
LARGEST_LIMIT = 1000
LARGEST_PAGE = 1_000_000_000
FAULT_LIMIT = 20


def check(value: Any, schema: dict[str, Any], path: str = "") -> list[dict[str, str]]:
    """Faults found, at most FAULT_LIMIT, each with the path of the value and what is wrong."""
    faults: list[dict[str, str]] = []
    _check(value, schema, path, faults)
    return faults[:FAULT_LIMIT]


def require(value: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """The body if it is right. Raises ApiError 5209 with all that is wrong."""
    if faults := check(value, schema):
        raise ApiError(400, 5209, "Invalid input", details=faults)
    return value


def _say(faults: list[dict[str, str]], path: str, message: str) -> None:
    faults.append({"path": path or "(body)", "message": message})


def _check(value: Any, schema: dict[str, Any], path: str, faults: list[dict[str, str]]) -> None:
    if len(faults) >= FAULT_LIMIT:
        return
    if value is None:
        if not schema.get("nullable") and schema["type"] != "any":
            _say(faults, path, f"must be {_ARTICLE[schema['type']]}")
        return
    kind = schema["type"]
    if not _is(value, kind):
        _say(faults, path, f"must be {_ARTICLE[kind]}")
    elif kind == "object":
        _object(value, schema, path, faults)
    elif kind == "array":
        for index, item in enumerate(value):
            _check(item, schema["items"], f"{path}[{index}]", faults)
    elif kind == "string":
        _string(value, schema, path, faults)
    elif kind in ("integer", "number"):
        low, high = schema.get("minimum"), schema.get("maximum")
        if (low is not None and value < low) or (high is not None and value > high):
            _say(faults, path, f"must be between {low} and {high}")


_ARTICLE = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "any": "anything",
}


def _is(value: Any, kind: str) -> bool:
    if kind == "any":
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if kind == "number":
        return isinstance(value, (int, float))
    return isinstance(value, {"object": dict, "array": list, "string": str, "boolean": bool}[kind])


def _object(value: dict[str, Any], schema: dict[str, Any], path: str, faults: list[dict[str, str]]) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            _say(faults, f"{path}.{name}" if path else name, "is required")
    properties = schema.get("properties", {})
    for name, item in value.items():
        if name in properties:
            _check(item, properties[name], f"{path}.{name}" if path else name, faults)


def _string(value: str, schema: dict[str, Any], path: str, faults: list[dict[str, str]]) -> None:
    if len(value) > schema.get("max_length", len(value)):
        _say(faults, path, f"must not be longer than {schema['max_length']} characters")
    elif "pattern" in schema and not schema["pattern"].fullmatch(value):
        _say(
            faults,
            path,
            "must be 24 hexadecimal digits" if schema["pattern"] is ID_PATTERN else "does not fit",
        )
    elif "enum" in schema and value not in schema["enum"]:
        _say(faults, path, "must be one of " + ", ".join(schema["enum"]))


def whole(query: QueryParams, name: str, low: int, high: int) -> int | None:
    """A whole number from the query, or None when it is absent. Raises ApiError."""
    text = query.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", text) or not low <= int(text) <= high:
        raise invalid(name, f"must be a whole number between {low} and {high}")
    return int(text)


def paging(query: QueryParams) -> tuple[int, int]:
    """(page, limit): page from 1, limit 1 to 1000, 20 when absent."""
    page = whole(query, "page", 1, LARGEST_PAGE) or 1
    limit = whole(query, "limit", 1, LARGEST_LIMIT) or DEFAULT_LIMIT
    return page, limit


def sorting(query: QueryParams) -> tuple[str, bool]:
    """(field path or an empty text, descending)."""
    text = query.get("sort", "")
    found = SORT_PATTERN.fullmatch(text)
    if not found:
        raise invalid("sort", "must be a field, then perhaps :asc or :desc")
    return found[1], found[2] == ":desc"


def identifier(query: QueryParams, name: str) -> str | None:
    """24 hexadecimal digits from the query, in lower case, or None when absent."""
    text = query.get(name)
    if text is not None and not ID_PATTERN.fullmatch(text):
        raise invalid(name, "must be 24 hexadecimal digits")
    return text.lower() if text is not None else None


def text(query: QueryParams, name: str, max_length: int) -> str | None:
    """Text from the query, or None when absent."""
    value = query.get(name)
    if value is not None and len(value) > max_length:
        raise invalid(name, f"must not be longer than {max_length} characters")
    return value


def choice(query: QueryParams, name: str, options: tuple[str, ...]) -> str | None:
    """One of the options, or None when absent."""
    value = query.get(name)
    if value is not None and value not in options:
        raise invalid(name, "must be one of " + ", ".join(options))
    return value


def choices(query: QueryParams, name: str, options: tuple[str, ...]) -> list[str]:
    """A repeatable parameter whose values are among the options."""
    values = query.getlist(name)
    for value in values:
        if value not in options:
            raise invalid(name, "must be one of " + ", ".join(options))
    return values


def switch(query: QueryParams, name: str) -> bool:
    """The reference types it `any`: true, 1, yes and on mean yes, all else no."""
    return query.get(name, "").lower() in ("true", "1", "yes", "on")
