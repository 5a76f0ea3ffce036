"""Answers as MiDM wraps them: a number as code under /ota, a text under /portal, `result` to judge by.

The contract has no sample of a failure. Here one is the envelope with `result: false`, a code and a sentence:
400 no session, 404 not there, 405, 409 refused by a rule, 410 bad e-mail or password, 411 bad API key, 413, 415 session
expired, 416 not JSON, 422 bad value, 429, 500. A device that is not there and a bad value come with HTTP 400, as a
public client expects; a session that ended comes with HTTP 200.
"""

from __future__ import annotations

import uuid
from typing import Any

from starlette.responses import Response

from ..applivery.envelope import encoded, json_response

BUILD = "2.4.0"
PORTAL = "/portal/"
OTA = "/ota/"


class Refusal(Exception):
    """What the service says no to, with its HTTP status, its code and a sentence."""

    def __init__(self, status: int, code: int, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self, portal: bool) -> Response:
        """The answer that says it. portal: the code as text."""
        head = _head(False, f"E{self.code:05d}" if portal else self.code, self.message)
        return json_response(head, self.status, self.headers)


def _head(result: bool, code: int | str, message: str) -> dict[str, Any]:
    return {
        "uq": str(uuid.uuid4()),
        "doc_version": "latest",
        "result": result,
        "code": code,
        "message": message,
        "build": BUILD,
    }


def ok(**beside: Any) -> Response:
    """A success of an /ota call: `data` and, beside it, the totals."""
    return json_response(_head(True, 0, "") | beside)


def portal_ok(**beside: Any) -> Response:
    """A success of a /portal call, which puts what it has to say beside the envelope or inside `data`."""
    return json_response(_head(True, "S00000", "") | beside)


def rows_ok(rows: list[str], **totals: int) -> Response:
    """A list whose rows are JSON already: long pages are encoded piece by piece, between other work."""
    head = encoded(_head(True, 0, ""))[:-1]
    rest = encoded(totals)[1:] if totals else "}"
    comma = "," if totals else ""
    return Response(f'{head},"data":[{",".join(rows)}]{comma}{rest}'.encode("ascii"), media_type="application/json")


def pages(total: int, size: int) -> int:
    """How many pages a list has; an empty list has none."""
    return -(-total // size)


def bad_value(where: str, problem: str) -> Refusal:
    """A value that cannot be used. where: its place in the request."""
    return Refusal(400, 422, f"{where} {problem}")


def no_device() -> Refusal:
    """A device that is not there; HTTP 400, where other things have 404."""
    return Refusal(400, 404, "device not found")


def not_there(what: str) -> Refusal:
    """Something else that is not there. what: its word in the sentence."""
    return Refusal(404, 404, f"{what} not found")


def against_rule(why: str) -> Refusal:
    """What was asked breaks a rule."""
    return Refusal(400, 409, why)


def session_expired() -> Refusal:
    """The token's time is over; HTTP 200, so that only `result` and the code tell."""
    return Refusal(200, 415, "session expired")
