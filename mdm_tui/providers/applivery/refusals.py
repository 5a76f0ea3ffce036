"""What the service's error envelope means. No part of it is sure to be there (NOTES, "Envelope and errors")."""

from __future__ import annotations

import re
from typing import Any

from mdm_tui.fleet.errors import FleetError, Kind, Problem
from mdm_tui.fleet.text import clean
from mdm_tui.providers.calls import Said

__all__ = ["accepted", "explain"]

# The service's own codes whose meaning differs from that of the HTTP status they come with (NOTES, "Envelope").
_CODES: dict[Any, Kind] = {
    # "Unauthorized" beside "No auth token" and "Invalid Token": the token is good and may not do this.
    4001: Kind.FORBIDDEN,
    4002: Kind.SIGNED_OUT,
    4004: Kind.SIGNED_OUT,
    5017: Kind.REFUSED,
    5050: Kind.REFUSED,
    5106: Kind.CONFLICT,
    5138: Kind.UNSUPPORTED,
    5173: Kind.REFUSED,
}


def explain(status: int, document: Any) -> Said:
    """What the error envelope says; no part of it is sure to be there."""
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, str):
        return Said(message=error)
    if not isinstance(error, dict):
        message = document.get("message") if isinstance(document, dict) else None
        return Said(message=message if isinstance(message, str) else "")
    code = error.get("code")
    if isinstance(code, bool) or not isinstance(code, int | str):
        code = None
    if isinstance(code, str):
        code = int(code) if code.isascii() and code.isdigit() and len(code) < 10 else clean(code, 40) or None
    message = error.get("message")
    kind = _CODES.get(code) if status < 500 and status != 429 else None
    return Said(code, message if isinstance(message, str) else "", kind, _problems(error))


_PLACES = ("path", "field", "pointer", "instancePath")


def _problems(error: dict[str, Any]) -> tuple[Problem, ...]:
    # The contract's envelope has no places; services that name them do it under one of these keys.
    rows = next((error[key] for key in ("details", "errors", "fields") if isinstance(error.get(key), list)), [])
    found = []
    for row in rows[:100]:
        if isinstance(row, dict) and isinstance(row.get("message"), str):
            place = next((row[key] for key in _PLACES if isinstance(row.get(key), str | list)), "")
            found.append(Problem(_path(place), clean(row["message"], 200)))
    return tuple(found)


def _path(place: str | list[Any]) -> tuple[str | int, ...]:
    """`a[0].b`, `/a/0/b` or `["a", 0, "b"]` as a path; anything in brackets alone is the whole body."""
    if isinstance(place, list):
        parts = [part for part in place if isinstance(part, str | int)]
    elif place.startswith("("):
        parts = []
    elif place.startswith("/"):
        parts = [part.replace("~1", "/").replace("~0", "~") for part in place[1:].split("/")]
    else:
        parts = [part for part in re.split(r"[.\[\]]", place) if part]
    return tuple(
        int(part)
        if isinstance(part, str) and re.fullmatch(r"[0-9]{1,9}", part)
        else clean(part, 64)
        if isinstance(part, str)
        else part
        for part in parts[:32]
    )


def accepted(document: Any) -> Any:
    """The document, unless it is a refusal that came with a success status."""
    if isinstance(document, dict) and document.get("status") is False:
        said = explain(200, document)
        what = f"The service refused ({said.code or 'no code'}, {clean(said.message, 300) or 'no reason given'})"
        raise FleetError(said.kind or Kind.REFUSED, what, code=said.code)
    return document
