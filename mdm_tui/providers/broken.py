"""What it means that a call got no answer, in words: the name, the connection, the proxy, the certificate, the time."""

from __future__ import annotations

import re
import socket
import ssl
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.text import clean

from .calls import Call
from .tls import meaning, root_of

__all__ = ["broken", "proxy_of"]

_PROXY = "Check HTTPS_PROXY and NO_PROXY of this environment."


def proxy_of(host: str) -> str:
    """Name and port of the proxy that the environment gives for a host, never its credentials; "" for none."""
    proxies = getproxies()
    address = proxies.get("https") or proxies.get("all") or ""
    if not address or proxy_bypass(host):
        return ""
    try:
        found = urlsplit(address if "://" in address else f"http://{address}")
        return clean(f"{found.hostname}:{found.port}" if found.port else found.hostname or "", 200)
    except ValueError:
        return ""


def broken(call: Call, error: Exception, host: str, proxy: str) -> FleetError:
    """The error of a call without an answer. proxy: as `proxy_of`; what it does is not told of the service."""
    never = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)
    sent = Sent.NEVER if never else Sent.MAYBE
    root = root_of(error)
    # Only the way to the proxy is a connection of this machine's own.
    there, todo = (f"the proxy {proxy}", _PROXY) if proxy and never else (host, "")
    first = there[0].upper() + there[1:] if proxy and never else host
    kind = Kind.UNREACHABLE
    if isinstance(root, ssl.SSLError) and never:
        kind = Kind.TLS
        what, todo = meaning(root, host)
    elif isinstance(error, httpx.TimeoutException | TimeoutError):
        kind = Kind.TIMEOUT
        what = f"{host} did not answer {call.where} in time"
        if isinstance(error, httpx.ConnectTimeout):
            what = f"{first} could not be reached in time"
        elif isinstance(error, httpx.PoolTimeout):
            what, todo = f"No connection to {host} was free in time", ""
    elif isinstance(error, httpx.ProxyError):
        status = re.match(r"\d{3}\b", str(error))
        named = f"The proxy {proxy}" if proxy else "The proxy"
        what = f"{named} would not connect to {host}{f' ({status[0]})' if status else ''}"
    elif isinstance(root, socket.gaierror):
        what = f"The name {host} was not found" if there == host else f"The name of {there} was not found"
    elif isinstance(root, ConnectionRefusedError):
        what = f"{first} refused the connection"
    elif never:
        what = f"{first} could not be reached"
    elif isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError):
        sent, kind, what = Sent.NEVER, Kind.CONFIG, f"{call.where} cannot be asked of {host}"
    else:
        what = f"The connection to {host} broke during {call.where}"
    return FleetError(kind, what, where=call.where, sent=sent, todo=todo)
