"""The site: what the second registry calls its customer, its user, and identifiers in its shape."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from .chance import hex_digits


@dataclass(frozen=True, slots=True)
class SiteUser:
    """Somebody who signs in to the site."""

    uuid: str
    email: str
    name: str


def site_of(fleet_id: str) -> str:
    """The site's identifier, from the fleet's."""
    return str(uuid.uuid5(uuid.UUID(fleet_id), "site"))


def site_user(fleet_id: str, email: str) -> SiteUser:
    """The user with this address; the same address is always the same user."""
    email = email.strip().casefold()
    words = email.partition("@")[0].replace(".", " ").replace("_", " ").title()
    return SiteUser(str(uuid.uuid5(uuid.UUID(fleet_id), f"user/{email}")), email, words)


def salt_of(fleet_id: str) -> int:
    """A number of the fleet that keeps the identifiers of two fleets of one seed apart."""
    return uuid.UUID(fleet_id).int >> 70


def uuid_text(*parts: int) -> str:
    """An identifier in the usual shape, the same for the same parts."""
    return str(uuid.UUID(hex=hex_digits(32, *parts), version=4))
