"""Text written by strangers, made safe to show.

Device names, error texts and report values come from people and machines we do not trust. `clean` is
applied where data enters; `reveal` is for the raw views, which must show what is really there.
"""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "inert", "normal_serial", "reveal", "search_key"]

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_DOT = "\N{MIDDLE DOT}"
# Letters by their category, blank by their drawing: they would make two different names look alike.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
_SPACE_LIKE = frozenset("\t\n\r\v\f\u0085\u2028\u2029")
_HIDDEN = frozenset({"Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MAX_MARKS = 2
# Characters that a terminal draws far wider than the one cell they are counted as.
_WIDE_LIARS = frozenset("\ufdfd\ufdfa\U00012219\U0001242b")
# What begins a formula in a spreadsheet, in the full width of Japanese keyboards too.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

# Without blanks, in lower case; those of one repeated character are none either.
# fmt: off
PLACEHOLDER_SERIALS = frozenset((
    "", "unknown", "none", "null", "nil", "n/a", "na", "0", "default", "defaultstring", "string", "undefined",
    "invalid", "notavailable", "tobefilledbyo.e.m.", "systemserialnumber", "123456789", "1234567890", "0123456789",
    "1234567890abcdef", "0123456789abcdef",
))
# fmt: on


def clean(value: object, limit: int = 512) -> str:
    """One display line from any value: no control, format or invisible characters, at most `limit` characters.

    Control characters become control pictures or U+FFFD, line breaks and tabs a space, format and private
    characters a middle dot, more than two combining marks in a row are dropped. Idempotent.
    """
    text = value if isinstance(value, str) else str(value)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        if char in _SPACE_LIKE:
            out.append(" ")
            marks = 0
            continue
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
            if marks <= _MAX_MARKS and char not in _FILLERS:
                out.append(char)
            continue
        marks = 0
        if category == "Cc":
            code = ord(char)
            out.append(chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else _REPLACEMENT)
        elif category in _HIDDEN or char in _FILLERS or char in _WIDE_LIARS:
            out.append(_DOT)
        elif category == "Zs":
            out.append(" ")
        else:
            out.append(char)
    return "".join(out)


def reveal(text: str) -> str:
    """`text` with every control, format and invisible character written as `\\uXXXX`; line feeds are kept."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(
        char
        if char == "\n" or not (_is_hidden(char))
        else f"\\u{ord(char):04x}"
        if ord(char) < 0x10000
        else f"\\U{ord(char):08x}"
        for char in text
    )


def _is_hidden(char: str) -> bool:
    return char in _FILLERS or unicodedata.category(char) in _HIDDEN or unicodedata.category(char) == "Cc"


def inert(text: str) -> str:
    """`text` for a cell of a CSV file: with `'` before it where a spreadsheet would run it. A lone sign is none."""
    # Spreadsheets strip blanks, tabs and line ends before they look.
    seen = text.strip()
    return f"'{text}" if len(seen) > 1 and seen.startswith(_FORMULA) else text


def search_key(text: str) -> str:
    """`text` folded for searching: no case, no accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def normal_serial(serial: str | None) -> str:
    """The serial as a joining key: upper case without blanks; "" when it is missing or a placeholder.

    Only of A to Z: other letters have capitals that look like those, and no stranger's serial may become another one.
    """
    plain = "".join((serial or "").split())
    key = plain.upper() if plain.isascii() else "".join(char.upper() if char.isascii() else char for char in plain)
    if key.lower() in PLACEHOLDER_SERIALS or len(set(key)) <= 1:
        return ""
    return key
