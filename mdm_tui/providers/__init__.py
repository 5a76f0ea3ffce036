"""Vendors' services behind one seam (`fleet.provider`). Importing this package loads no network or model library."""

from __future__ import annotations

from importlib import import_module

from mdm_tui.fleet.errors import FleetError, Kind, Sent
from mdm_tui.fleet.provider import ProviderFactory

__all__ = ["GROUP", "factory", "kinds"]

GROUP = "mdm_tui.providers"
# The built-in ones work without installed metadata, and no package can take their names.
_BUILT_IN = {"applivery": "mdm_tui.providers.applivery", "midm": "mdm_tui.providers.midm"}


def kinds() -> list[str]:
    """The kinds of service this installation can speak to."""
    from importlib.metadata import entry_points

    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def factory(kind: str) -> ProviderFactory:
    """The factory for a kind of service; `FleetError` CONFIG when there is none or it cannot be loaded."""
    if kind in _BUILT_IN:
        return import_module(_BUILT_IN[kind]).factory
    # Only now: it is not needed before the first frame.
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP, name=kind):
        try:
            return point.load()
        except Exception as error:
            # A third party's package: whatever it raises is a sentence here, not a crash.
            what = f"The provider {kind!r} cannot be loaded ({type(error).__name__})"
        raise FleetError(Kind.CONFIG, what, sent=Sent.NEVER)
    known = ", ".join(kinds())
    raise FleetError(Kind.CONFIG, f"There is no provider {kind!r}; known are: {known}", sent=Sent.NEVER)
