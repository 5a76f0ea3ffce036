"""Rows of answers as they may really come, for every service: types that cost no row, and what stands for a lost one.

A field of a wrong type becomes None or an empty object; numbers come as text and texts as numbers.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import table, whole, words

from .deep import Deep

__all__ = ["Identity", "Row", "Table", "Text", "Whole", "shape", "stand_in", "why"]

Text = Annotated[str | None, BeforeValidator(words)]
Whole = Annotated[int | None, BeforeValidator(whole)]
Table = Annotated[dict[str, Any], BeforeValidator(table)]
Identity = Annotated[str, BeforeValidator(words), Field(min_length=1, max_length=128)]


class Row(BaseModel):
    """What the console reads by name of an object. What is not declared is not lost: the raw object is kept beside."""

    model_config = ConfigDict(extra="ignore")


def stand_in(raw: str) -> str:
    """An id for an item without one, the same from poll to poll. No service has ids with a "?"."""
    return "?" + hashlib.sha256(raw.encode()).hexdigest()[:16]


def why(node: Any, error: Exception | None = None) -> str:
    """Why an item could not be understood."""
    if isinstance(node, Deep):
        return node[0]
    if not isinstance(node, dict):
        return f"the service sent {shape(node)} where an object belongs"
    if not isinstance(error, ValidationError):
        return "its report is of another shape than the contract's"
    place = error.errors(include_url=False, include_input=False, include_context=False)[0]["loc"]
    name = clean(place[0] if place else "id", 64)
    return f"its {name} is missing" if node.get(name) in (None, "") else f"its {name} is {shape(node[name])}"


def shape(node: Any) -> str:
    """What a JSON value is, in words."""
    if node is None:
        return "null"
    shapes = ((bool, "true or false"), (int | float, "a number"), (str, "text"), (list, "a list"), (dict, "an object"))
    return next((said for kind, said in shapes if isinstance(node, kind)), "something else")
