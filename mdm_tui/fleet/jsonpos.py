"""Where each value of a JSON text stands: for messages at the right line of a document that a person edits.

Strict JSON only (no NaN, no comments, no trailing commas). Iterative, so a deeply nested text cannot overflow.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

__all__ = ["MAX_DEPTH", "JsonError", "Lines", "Located", "Span", "locate"]

Path = tuple[str | int, ...]

MAX_DEPTH = 48
"""Levels of a document. Answers are read to 64, and in a list it stands some levels deep: one that is deeper would make
the whole list unreadable."""

_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = ("true", "false", "null")
_WRONG_WORDS = re.compile(r"[A-Za-z_$][\w$]*|-Infinity")


class Span(NamedTuple):
    """Offsets of a value in the text, `end` exclusive; `key` is where its name starts (the value's start in lists)."""

    start: int
    end: int
    key: int


class JsonError(ValueError):
    """The text is not JSON. offset: of the first character that does not fit."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Located:
    """spans: by path from the root `()`. repeated: names that stand twice in one object (the last one counts)."""

    spans: dict[Path, Span]
    repeated: tuple[tuple[Path, int], ...] = ()

    def nearest(self, path: Path) -> Span:
        """The span of the value at `path`, or of the closest one around it that exists."""
        while path and path not in self.spans:
            path = path[:-1]
        return self.spans[path]


class Lines:
    """Offsets to places: lines and columns from 1, as editors show them."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


@dataclass(slots=True)
class _Open:
    """A container being read."""

    path: Path
    start: int
    key: int
    is_list: bool
    count: int = 0
    name: str = ""
    name_at: int = 0
    seen: set[str] | None = None


def locate(text: str) -> Located:
    """The place of every value of a JSON text. Raises `JsonError` at the first mistake."""
    spans: dict[Path, Span] = {}
    repeated: list[tuple[Path, int]] = []
    stack: list[_Open] = []
    at = _skip(text, 0)
    while True:
        # A value starts here.
        path, key = _target(stack, at)
        char = text[at : at + 1]
        if char == "{" or char == "[":
            if len(stack) >= MAX_DEPTH:
                raise JsonError(f"nested deeper than {MAX_DEPTH} levels", at)
            opened = _Open(path, at, key, char == "[", seen=None if char == "[" else set())
            stack.append(opened)
            after = _skip(text, at + 1)
            if text[after : after + 1] != ("]" if opened.is_list else "}"):
                at = after if opened.is_list else _name(text, after, opened, repeated, first=True)
                continue
            at = after + 1
            stack.pop()
            spans[path] = Span(opened.start, at, key)
        else:
            end = _scalar(text, at)
            spans[path] = Span(at, end, key)
            at = end
        # A value has ended: close what it ends, then go to the next one.
        while True:
            at = _skip(text, at)
            if not stack:
                if at < len(text):
                    raise JsonError("something follows the end of the document", at)
                return Located(spans, tuple(repeated))
            top = stack[-1]
            char = text[at : at + 1]
            if char == ",":
                top.count += 1
                after = _skip(text, at + 1)
                closing = text[after : after + 1]
                if closing and closing in "]}":
                    raise JsonError("a comma with nothing after it", at)
                at = after if top.is_list else _name(text, after, top, repeated, first=False)
                if repeated and not top.is_list and repeated[-1][1] == top.name_at:
                    _forget(spans, repeated[-1][0])
                break
            if char != ("]" if top.is_list else "}"):
                wanted = "a comma or ]" if top.is_list else "a comma or }"
                raise JsonError(f"{wanted} is expected" if char else f"the text ends before {wanted[-1]}", at)
            at += 1
            stack.pop()
            spans[top.path] = Span(top.start, at, top.key)


def _forget(spans: dict[Path, Span], path: Path) -> None:
    # The earlier value of a repeated name does not count: its places must not answer for the later one.
    for stale in [known for known in spans if known[: len(path)] == path]:
        del spans[stale]


def _target(stack: list[_Open], at: int) -> tuple[Path, int]:
    if not stack:
        return (), at
    top = stack[-1]
    return ((*top.path, top.count), at) if top.is_list else ((*top.path, top.name), top.name_at)


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _name(text: str, at: int, top: _Open, repeated: list[tuple[Path, int]], *, first: bool) -> int:
    """Read `"name" :`; the offset of the value."""
    match = _STRING.match(text, at)
    if match is None:
        if text[at : at + 1] == '"':
            raise _bad_string(text, at)
        raise JsonError(
            "a name in double quotes is expected" if not first else "a name in double quotes or } is expected", at
        )
    top.name, top.name_at = _text(match.group()), at
    if top.seen is not None:
        if top.name in top.seen:
            repeated.append(((*top.path, top.name), at))
        top.seen.add(top.name)
    colon = _skip(text, match.end())
    if text[colon : colon + 1] != ":":
        raise JsonError("a colon is expected after the name", colon)
    return _skip(text, colon + 1)


def _scalar(text: str, at: int) -> int:
    char = text[at : at + 1]
    if char == '"':
        match = _STRING.match(text, at)
        if match is None:
            raise _bad_string(text, at)
        return match.end()
    for word in _WORDS:
        if text.startswith(word, at):
            return at + len(word)
    if match := _NUMBER.match(text, at):
        if text[match.end() : match.end() + 1].isdigit():
            raise JsonError("a number does not start with 0", at)
        if not match.group().lstrip("-").isdigit() and not isfinite(float(match.group())):
            raise JsonError("a number that is too large", at)
        return match.end()
    if not char:
        raise JsonError("the text ends where a value is expected", at)
    if match := _WRONG_WORDS.match(text, at):
        raise JsonError(f"{match.group()[:20]} is not a JSON value; text needs double quotes", at)
    raise JsonError("a value is expected", at)


def _bad_string(text: str, at: int) -> JsonError:
    index = at + 1
    while index < len(text):
        char = text[index]
        if char == '"':
            break
        if char == "\n":
            return JsonError("the text in quotes does not end on its line", at)
        if char < " ":
            return JsonError("a control character in text must be written as \\uXXXX", index)
        if char == "\\":
            if not re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})').match(text, index):
                return JsonError("an unknown escape after the backslash", index)
            index += 6 if text[index + 1] == "u" else 2
            continue
        index += 1
    return JsonError("the text in quotes does not end", at)


def _text(quoted: str) -> str:
    body = quoted[1:-1]
    if "\\" not in body:
        return body
    plain = _ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 5 else _SHORT.get(m[1], m[1]), body)
    # Surrogate pairs written as two escapes are one character, as json.loads reads them.
    return re.sub(
        "([\ud800-\udbff])([\udc00-\udfff])",
        lambda m: chr(0x10000 + ((ord(m[1]) - 0xD800) << 10) + ord(m[2]) - 0xDC00),
        plain,
    )
