"""What a kind of service is called, for connections that are not open."""

from __future__ import annotations

from mdm_tui.fleet.errors import FleetError
from mdm_tui.providers import factory

__all__ = ["title_of"]


def title_of(kind: str) -> str:
    """The title of a kind of service, or its bare name where its provider cannot be loaded."""
    try:
        return factory(kind).title
    except FleetError:
        return kind
