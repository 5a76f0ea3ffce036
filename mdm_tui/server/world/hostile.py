"""Texts that attack whoever prints them: the hostile scenario's names, tags and report strings.

Everything is written with escapes so that this file itself stays harmless.
"""

from __future__ import annotations

from .chance import mix

TEXTS: tuple[str, ...] = (
    "[@click=app.quit]x[/]",
    "[/]",
    "[bold red]not red[/bold red][/][/]",
    "[link=javascript:alert(1)]Gate[/link]",
    "[unclosed",
    "\x1b[2J\x1b[H\x1b[31mred\x1b[0m",
    "\x1b]52;c;cm0gLXJmIC8=\x07Dock",
    "\x1b]0;owned\x07Van",
    "\x1b]8;;http://attacker.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x9b31mC1\x9b0m",
    "\x9d52;c;QQ==\x9c",
    "Van \u202e71\u202c",
    "\u2066\u202egnp.exe\u2069",
    "Do\u200bck\u200d 4\u2060\ufeff",
    "Z\u0351\u0352\u0353\u0354\u0355\u0356\u0357\u0358\u0359\u035a\u0360\u0361\u0362a\u0300\u0301\u0302\u0303\u0304lgo",
    "line one\nline two\r\nline three",
    "tab\tseparated\tname",
    "\x00nul\x00",
    "back\x08\x08\x08\x08space\x7f",
    "   ",
    "",
    "'; DROP TABLE device; --",
    "{{7*7}} ${7*7} %s %n {0}",
    "<script>alert(1)</script>",
    "=HYPERLINK(\"http://attacker.example\")",
    "../../../../etc/passwd",
    "\u2028separator\u2029",
    "\ud83d\udc69".encode("utf-16", "surrogatepass").decode("utf-16") + "\u200d\U0001f469\u200d\U0001f467",
    "\ue000private\uf8ff",
    "\ufffe\uffff",
    "\U000e0041\U000e0042tags",
    "ﷺ" * 12,
    "W" * 256,
    "wide " + "漢" * 120,
    "\u0e33\u0e33\u0e33\u1160\u115f\u3164",
    "- [ ] # **md** `code` | a | b |",
    "NaN",
    "null",
    "-0",
)  # fmt: skip

LONG = "L" + "o" * 9_998 + "g"

SERIALS: tuple[str, ...] = ("", "unknown", "0123456789ABCDEF", "DUPLICATE-1", "\x1b[31mS\x1b[0m", "n/a", "0")


def text(seed: int, n: int, salt: int) -> str:
    """One of TEXTS, by device and place."""
    return TEXTS[mix(seed, n, 401, salt) % len(TEXTS)]


def serial(seed: int, n: int, good: str) -> str:
    """A third of the serials are placeholders, empty or the same for several devices."""
    luck = mix(seed, n, 402)
    return SERIALS[luck // 3 % len(SERIALS)] if luck % 3 == 0 else good


def breaks_contract(seed: int, n: int) -> bool:
    """About one device in fifty answers with wrong types on purpose."""
    return mix(seed, n, 403) % 50 == 0
