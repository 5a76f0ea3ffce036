"""What a failed TLS handshake means, in words a person can act on. Standard library only."""

from __future__ import annotations

import ssl

from mdm_tui.fleet.text import clean

__all__ = ["meaning", "root_of"]

# OpenSSL's X509_V_ERR_* numbers.
_NOT_YET, _EXPIRED = 9, 10
_UNTRUSTED = (2, 18, 19, 20, 21)
_OTHER_NAME = (62, 64)
# What the library calls an answer that is no TLS at all; the name changed between its versions.
_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")


def meaning(error: ssl.SSLError, host: str) -> tuple[str, str]:
    """(what happened, what to do); the second is empty where no more is known than that TLS failed."""
    code = getattr(error, "verify_code", 0)
    if code == _EXPIRED:
        return (
            f"The certificate of {host} has expired",
            "Its owner must renew it; if it is a new one, check the date of this machine.",
        )
    if code == _NOT_YET:
        return (
            f"The certificate of {host} is not valid yet",
            "Check the date of this machine; if it is right, the certificate's owner must replace it.",
        )
    if code in _OTHER_NAME:
        return (
            f"The certificate of {host} is for another name",
            "Check the address of the connection; if it is right, the service needs a certificate for it.",
        )
    if code in _UNTRUSTED:
        return (
            f"The certificate of {host} is signed by an authority that this machine does not know",
            "Set ca_file on the connection if your company uses its own; otherwise do not trust this address.",
        )
    # Absent when the error was not made by the library itself.
    reason = str(getattr(error, "reason", None) or "")
    if reason in _PLAIN:
        return f"{host} answered without TLS", "Check the address and the port of the connection."
    shown = getattr(error, "verify_message", "") or reason.replace("_", " ").lower() or "TLS failed"
    return f"No trusted connection to {host}: {clean(str(shown), 200).rstrip('.')}", ""


def root_of(error: BaseException) -> BaseException:
    """The innermost cause that is an operating system or TLS error, else the error itself."""
    seen: BaseException | None = error
    found = error
    for _ in range(12):
        seen = (seen.__cause__ or seen.__context__) if seen is not None else None
        if seen is None:
            break
        if isinstance(seen, OSError):
            found = seen
    return found
