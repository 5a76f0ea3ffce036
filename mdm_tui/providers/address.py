"""Which addresses a connection may have: https anywhere, http to this machine alone, no secrets in them."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.text import clean

__all__ = ["address"]


def address(url: str) -> tuple[str, str, bool]:
    """(base address without a last slash, host as shown, whether it is this machine); `FleetError` CONFIG if refused.

    https anywhere, http only to this machine; no user name or password, no query.
    """

    def refuse(what: str) -> FleetError:
        return FleetError(Kind.CONFIG, f"The address of the connection {what}", sent=Sent.NEVER)

    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise refuse("is not an address") from None
    if parts.scheme not in ("https", "http") or not host:
        raise refuse("must start with https:// and name a host")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise refuse("must not hold a user name or password")
    if parts.query or parts.fragment:
        raise refuse("must not have a query or a fragment")
    local = _is_local(host)
    if parts.scheme == "http" and not local:
        raise refuse(f"must be https: http:// is allowed to this machine only, not to {clean(host, 80)}")
    shown = f"[{host}]" if ":" in host else host
    if port is not None:
        shown = f"{shown}:{port}"
    return f"{parts.scheme}://{shown}{parts.path.rstrip('/')}", clean(shown, 120), local


def _is_local(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
