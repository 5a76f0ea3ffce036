"""Reading what bodies carry, as generously as the page writes it: switches as booleans or quoted, absent or null."""

from __future__ import annotations

from typing import Any

from .envelope import bad_value

LONGEST = 1000
MOST = 20_000


def thing(value: Any, where: str) -> dict[str, Any]:
    """An object; absent is an empty one. Raises Refusal."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_value(where, "must be an object")
    return value


def items(value: Any, where: str) -> list[Any]:
    """A list; absent is an empty one. Raises Refusal."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_value(where, "must be a list")
    if len(value) > MOST:
        raise bad_value(where, f"must not have more than {MOST} entries")
    return value


def text(value: Any, where: str, *, required: bool = False) -> str:
    """Text; absent is "". Raises Refusal."""
    if value is None or value == "":
        if required:
            raise bad_value(where, "is required")
        return ""
    if not isinstance(value, str):
        raise bad_value(where, "must be text")
    if len(value) > LONGEST:
        raise bad_value(where, f"must not be longer than {LONGEST} characters")
    return value


def texts(value: Any, where: str) -> list[str]:
    """A list of texts that say something, each once. Raises Refusal."""
    found = [text(one, f"{where}[{i}]", required=True) for i, one in enumerate(items(value, where))]
    return list(dict.fromkeys(found))


def switch(value: Any, where: str, default: bool) -> bool:
    """A boolean, or the words true and false as text. Raises Refusal."""
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise bad_value(where, "must be true or false")


def whole(value: Any, where: str) -> int:
    """A whole number. Raises Refusal."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value) or abs(value) > 2**53:
        raise bad_value(where, "must be a whole number")
    return int(value)


def form_number(fields: dict[str, str], name: str, low: int, high: int) -> int | None:
    """A whole number of a form, None when it is absent. Raises Refusal."""
    given = fields.get(name)
    if given is None or given == "":
        return None
    if not given.lstrip("-").isdecimal() or len(given) > 12 or not low <= int(given) <= high:
        raise bad_value(name, f"must be a whole number between {low} and {high}")
    return int(given)
