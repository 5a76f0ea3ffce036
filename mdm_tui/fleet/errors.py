"""The one table of what can go wrong between us and a service, in words a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["ADVICE", "FleetError", "Kind", "Problem", "Sent"]


class Kind(Enum):
    """What went wrong, seen from the person at the console."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    SIGNED_OUT = "signed_out"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    REFUSED = "refused"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    UNREADABLE = "unreadable"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    READ_ONLY = "read_only"
    CONFIG = "config"
    STORAGE = "storage"


class Sent(Enum):
    """How far a request got. Only `NEVER` proves that the service did nothing."""

    NEVER = "never"
    ANSWERED = "answered"
    MAYBE = "maybe"


# What to do about each kind; `{...}` is filled from the error's own fields.
ADVICE: dict[Kind, str] = {
    Kind.UNREACHABLE: "Check the address and the network; the console tries again by itself.",
    Kind.TIMEOUT: "The service did not answer in time; the console tries again by itself.",
    Kind.TLS: "The certificate could not be verified. Set ca_file on the connection if your company uses its own.",
    Kind.SIGNED_OUT: "Give valid credentials for this connection.",
    Kind.FORBIDDEN: "Ask for the permission, or sign in as somebody who has it.",
    Kind.NOT_FOUND: "It may have been removed, or the connection's organization or address is wrong.",
    Kind.INVALID: "Correct the value and send it again.",
    Kind.REFUSED: "Nothing was changed.",
    Kind.CONFLICT: "Somebody changed it meanwhile: read it again first.",
    Kind.RATE_LIMITED: "The console waits as long as the service asked.",
    Kind.SERVER: "The fault is the service's; the console tries again by itself.",
    Kind.UNREADABLE: "The answer is not what the contract says; check the address of the connection.",
    Kind.REDIRECT: "Redirects are refused so that the sign-in goes nowhere else: set the final address.",
    Kind.TOO_LARGE: "The answer is larger than this console accepts.",
    Kind.UNSUPPORTED: "This service does not offer it; everything else works.",
    Kind.READ_ONLY: "The connection is read_only = true in the configuration.",
    Kind.CONFIG: "Correct the configuration and start again.",
    Kind.STORAGE: "Make room on the disk or correct the folder's permissions, then try again.",
}
_NO_TIME = "The service did not say for how long: wait a moment before you try again."


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document or a form: where (path of keys and indices), what, and what is allowed."""

    path: tuple[str | int, ...]
    message: str
    allowed: str = ""
    warning: bool = False

    @property
    def pointer(self) -> str:
        """The place as people write it: `applications[0].action`."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
        return text


class FleetError(Exception):
    """A call that did not give what was asked.

    what: one clean sentence, what happened. where: method and path, no secrets. status, code: the HTTP status and
    the service's own code. retry_after: seconds to wait, as the service asked. sent: see `Sent`.
    permission: the contract's permission name where one is known. problems: per field, when the service named them.
    todo: what to do, as a sentence, where more is known than the kind alone says.
    """

    def __init__(
        self,
        kind: Kind,
        what: str,
        *,
        where: str = "",
        status: int | None = None,
        code: int | str | None = None,
        retry_after: float | None = None,
        sent: Sent = Sent.ANSWERED,
        permission: str = "",
        problems: tuple[Problem, ...] = (),
        todo: str = "",
    ) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what
        self.where = where
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.sent = sent
        self.permission = permission
        self.problems = problems
        self.todo = todo

    @property
    def advice(self) -> str:
        """What the person can do."""
        if self.kind is Kind.RATE_LIMITED and self.retry_after is None:
            return self.todo or _NO_TIME
        return self.todo or ADVICE[self.kind]

    def sentence(self) -> str:
        """What happened and what to do, as one line."""
        what = self.what.rstrip(".")
        if self.permission and self.kind is Kind.FORBIDDEN:
            what = f"{what} (needs {self.permission})"
        return f"{what}. {self.advice}"

    def __str__(self) -> str:
        return self.sentence()
