"""Success and failure as the contract wraps them, and paging."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response


class ApiError(Exception):
    """A refusal with its HTTP status, the service's code and message.

    details: where in the request the fault is; an addition of this server, beside what the contract says.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        details: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers

    def response(self) -> Response:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = self.details
        return json_response({"status": False, "error": error}, self.status, self.headers)


# All ASCII on the wire: the fastest encoding, and whatever is in a hostile name survives it.
encoded = json.JSONEncoder(separators=(",", ":")).encode


def json_response(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encoded(payload).encode("ascii"), status, headers, media_type="application/json")


def ok(data: Any) -> Response:
    return json_response({"status": True, "data": data})


def not_found() -> ApiError:
    return ApiError(404, 3001, "Entity not found")


def no_token() -> ApiError:
    return ApiError(401, 4002, "No auth token", headers={"WWW-Authenticate": "Bearer"})


def bad_token() -> ApiError:
    return ApiError(401, 4004, "Invalid Token", headers={"WWW-Authenticate": "Bearer"})


def forbidden() -> ApiError:
    return ApiError(403, 4001, "Unauthorized")


def invalid(path: str, message: str) -> ApiError:
    return ApiError(400, 5209, "Invalid input", details=[{"path": path, "message": message}])


def page_of(items: list[Any], total: int, page: int, limit: int) -> dict[str, Any]:
    """A page inside `data`. No previous or next page is 0, as the reference types them as integers."""
    pages = max(1, -(-total // limit))
    return {
        "items": items,
        "totalDocs": total,
        "limit": limit,
        "hasPrevPage": page > 1,
        "hasNextPage": page < pages,
        "page": page,
        "totalPages": pages,
        "prevPage": page - 1 if page > 1 else 0,
        "nextPage": page + 1 if page < pages else 0,
    }


def page_response(rows: list[str], total: int, page: int, limit: int) -> Response:
    """A page of rows that are JSON already: long pages are encoded piece by piece, between other work."""
    rest = page_of([], total, page, limit)
    del rest["items"]
    text = f'{{"status":true,"data":{{"items":[{",".join(rows)}],{encoded(rest)[1:]}}}'
    return Response(text.encode("ascii"), media_type="application/json")
