"""Reading what a request carries: its body within a limit, JSON that a database and a screen can hold, a form."""

from __future__ import annotations

import email
import email.policy
import json
from typing import Any

from starlette.requests import Request

BODY_LIMIT = 1 << 20


class TooLarge(Exception):
    """The body is over BODY_LIMIT."""


class NotJson(Exception):
    """The body cannot be read; the text says why."""


class WrongKind(Exception):
    """The content type is another one; the text says which is asked for."""


async def read_body(request: Request) -> bytes:
    """The whole body. Raises TooLarge."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:12]) > BODY_LIMIT:
        raise TooLarge
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse_json(request: Request, raw: bytes) -> Any:
    """The body as JSON. Raises WrongKind, NotJson."""
    if _kind(request) != "application/json":
        raise WrongKind("application/json")
    return strict_json(raw)


def strict_json(raw: bytes | str) -> Any:
    """A JSON value that can be kept and sent back. Raises NotJson."""
    try:
        found = json.loads(raw.decode() if isinstance(raw, bytes) else raw, parse_constant=_no_constant)
        # Lone surrogates and numbers beyond any measure can be written in JSON but not kept or sent back.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from None
    return found


def parse_form(request: Request, raw: bytes) -> dict[str, str]:
    """The text fields of a multipart form; the last of a name counts. Raises WrongKind."""
    if _kind(request) != "multipart/form-data":
        raise WrongKind("multipart/form-data")
    head = b"Content-Type: " + request.headers["content-type"].encode("latin-1") + b"\r\n\r\n"
    message = email.message_from_bytes(head + raw, policy=email.policy.HTTP)
    fields: dict[str, str] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content.decode("utf-8", "replace")
    return fields
