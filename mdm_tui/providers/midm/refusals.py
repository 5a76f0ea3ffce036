"""What MiDM's envelope means: `result` first, then the HTTP status, then the code (NOTES, "Envelope and errors").

Codes are numbers under /ota (0 and 200 fine; 400 and 415 a lost session; 410 and 411 bad credentials) and text under
/portal (S00000 fine). No failure is documented, so no part of an envelope is sure to be there.
"""

from __future__ import annotations

from typing import Any

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.text import clean
from mdm_tui.providers.calls import Said

from .values import flag

__all__ = ["LOST_SESSION", "MAYBE_SESSION", "accepted", "explain", "is_envelope"]

_FINE = (None, "", 0, 200, "S00000")
MAYBE_SESSION = 400
"""The code that older consoles took for a lost session, and that may as well be a question not understood."""
LOST_SESSION = 415
"""The code of a session that has ended, and of nothing else."""
_CODES: dict[Any, Kind] = {
    400: Kind.SIGNED_OUT,
    401: Kind.SIGNED_OUT,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    409: Kind.CONFLICT,
    410: Kind.SIGNED_OUT,
    411: Kind.SIGNED_OUT,
    LOST_SESSION: Kind.SIGNED_OUT,
    422: Kind.INVALID,
    429: Kind.RATE_LIMITED,
}
# Codes that say more than the status 400 or 200 they come with.
_SPECIAL = frozenset((410, 411, LOST_SESSION))
_OF_400 = frozenset((403, 404, 409))


def is_envelope(document: Any) -> bool:
    """Whether it is an answer of the service's own, not of something that stands before it."""
    return isinstance(document, dict) and "result" in document


def explain(status: int, document: Any) -> Said:
    """What a refusal with an HTTP status of its own says."""
    if not isinstance(document, dict):
        return Said()
    code, message = _code(document), document.get("message")
    kind: Kind | None = None
    special = _SPECIAL if status not in (400, 429) and status < 500 else _SPECIAL | _OF_400 if status == 400 else ()
    if code in special:
        kind = _CODES[code]
    elif not is_envelope(document):
        # Frameworks put a code of their own into a body that is not the service's.
        code = None
    return Said(code, message if isinstance(message, str) else "", kind)


def accepted(document: Any) -> Any:
    """The document, unless it is a refusal that came with a success status. Raises `FleetError`."""
    if not isinstance(document, dict):
        return document
    result, code = flag(document.get("result")), _code(document)
    if result is True or (result is None and code in _FINE):
        return document
    reason = ", ".join(part for part in (str(code) if code not in _FINE else "", _message(document)) if part)
    kind = _CODES.get(code, Kind.REFUSED)
    broken = isinstance(code, int) and 500 <= code < 600
    # A service that failed inside may have done half of it; one that refused has done nothing.
    raise FleetError(
        Kind.SERVER if broken else kind,
        f"The service refused ({reason or 'no reason given'})",
        code=code,
        sent=Sent.MAYBE if broken else Sent.ANSWERED,
    )


def _message(document: dict[str, Any]) -> str:
    message = document.get("message")
    return clean(message, 300) if isinstance(message, str) else ""


def _code(document: dict[str, Any]) -> int | str | None:
    code = document.get("code")
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None
    if isinstance(code, str):
        return int(code) if code.isascii() and code.isdigit() and len(code) < 10 else clean(code, 40) or None
    return code
