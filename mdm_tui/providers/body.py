"""Bodies of answers: inflated and nested within bounds, read as JSON without losing what was sent.

Pure, standard library only: it runs on a worker thread when a body is large.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from typing import Any

from mdm_tui.fleet.errors import Kind

from . import deep

__all__ = ["DECODED_LIMIT", "DEPTH_LIMIT", "WIRE_LIMIT", "BodyError", "Inflate", "decode", "encode", "text"]

WIRE_LIMIT = 16 * 1024 * 1024
DECODED_LIMIT = 32 * 1024 * 1024
DEPTH_LIMIT = 64
_DEEP = f"nested deeper than {DEPTH_LIMIT} levels"

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# What a cut may leave the beginning of.
_LITERALS = ("true", "false", "null", "-", ".")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class BodyError(ValueError):
    """An answer that cannot be used. what: the end of a sentence that starts with the service's name."""

    def __init__(self, kind: Kind, what: str) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what


class Inflate:
    """Undoes a `Content-Encoding` chunk by chunk; both the wire's and the inflated bytes are bounded."""

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip"):
            raise BodyError(Kind.UNREADABLE, "sent an encoding that was not asked for")
        self._plain = name in ("", "identity")
        self._stream = None if self._plain else zlib.decompressobj(31)
        self._parts: list[bytes] = []
        self._wire = 0
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk off the wire; raises `BodyError` once a bound is passed or the stream is broken."""
        self._wire += len(chunk)
        if self._wire > WIRE_LIMIT:
            raise BodyError(Kind.TOO_LARGE, f"sent more than {WIRE_LIMIT // 2**20} MiB")
        if self._plain:
            self._keep(chunk)
            return
        while chunk:
            if self._stream is None:
                self._stream = zlib.decompressobj(31)
            try:
                self._keep(self._stream.decompress(chunk, DECODED_LIMIT - self._size + 1))
            except zlib.error:
                raise BodyError(Kind.UNREADABLE, "sent broken gzip data") from None
            # A member that ended may be followed by another one.
            chunk, ended = self._stream.unused_data, self._stream.eof
            if ended:
                self._stream = None

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > DECODED_LIMIT:
            raise BodyError(Kind.TOO_LARGE, f"sent more than {DECODED_LIMIT // 2**20} MiB once inflated")
        self._parts.append(part)

    def end(self) -> bytes:
        """The whole body; raises `BodyError` when the compressed stream stopped early."""
        if not self._plain and self._stream is not None and self._wire:
            raise BodyError(Kind.UNREADABLE, "sent an answer that stops in the middle")
        return b"".join(self._parts)


def decode(body: bytes) -> Any:
    """The JSON value of a body; raises `BodyError` for anything else.

    Numbers without a finite value stay as the text they were sent as, `NaN` and `Infinity` (no JSON) become None:
    one such field must not cost a page. Bytes that are no UTF-8 become U+FFFD. A row of a list that is nested too deep
    becomes a `Deep`.
    """
    left: list[deep.Left] = []
    if _too_deep(body):
        body, left = deep.cut(body, DEPTH_LIMIT)
        if not left or _too_deep(body):
            raise BodyError(Kind.UNREADABLE, f"sent JSON {_DEEP}")
    document = _loads(body)
    if left and not deep.put(document, left, f"it is {_DEEP}"):
        raise BodyError(Kind.UNREADABLE, f"sent JSON {_DEEP}")
    return document


def _loads(body: bytes) -> Any:
    try:
        plain = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        plain = body.decode("utf-8-sig", errors="replace")
    try:
        try:
            return json.loads(plain, parse_float=_real, parse_constant=_constant)
        except json.JSONDecodeError:
            raise
        except ValueError:
            # Only an integer of thousands of digits gets here; then each integer is looked at.
            return json.loads(plain, parse_float=_real, parse_constant=_constant, parse_int=_whole)
    except RecursionError:
        raise BodyError(Kind.UNREADABLE, f"sent JSON {_DEEP}") from None
    except json.JSONDecodeError as error:
        raise BodyError(Kind.UNREADABLE, _what_instead(plain, error)) from None


def text(node: Any) -> str:
    """A JSON value as compact text that any store can hold."""
    plain = _COMPACT.encode(node)
    try:
        plain.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair is legal in JSON escapes and nowhere else.
        return json.dumps(node, separators=(",", ":"))
    return plain


def encode(node: Any) -> bytes:
    """The body of a request. Raises ValueError for a value that JSON cannot say, such as a number without an end."""
    plain = json.dumps(node, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return plain.encode()
    except UnicodeEncodeError:
        # As it came, and as only an escape can say it: see `text`.
        return json.dumps(node, separators=(",", ":"), allow_nan=False).encode()


def _what_instead(plain: str, error: json.JSONDecodeError) -> str:
    if plain.lstrip()[:1] == "<":
        return "sent a web page instead of JSON"
    rest = plain[error.pos :].strip()
    torn = "Unterminated" in error.msg or ("escape" in error.msg and len(rest) <= 6)
    if torn or any(word.startswith(rest) for word in _LITERALS):
        return "sent JSON that stops in the middle"
    return f"sent something that is not JSON (at character {error.pos})"


def _too_deep(body: bytes) -> bool:
    # Brackets outside strings, made of one kind; each round takes the innermost level away.
    marks = _STRING.sub(b"", body).translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(DEPTH_LIMIT):
        inner = marks.replace(b"[]", b"")
        if len(inner) == len(marks):
            return False
        marks = inner
    return bool(marks)


def _real(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= 4000 else digits


def _constant(_name: str) -> None:
    return None
