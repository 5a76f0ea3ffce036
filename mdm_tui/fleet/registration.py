"""Registering devices: what is asked for, row by row, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Registration", "RegistrationTerms"]


@dataclass(frozen=True, slots=True)
class Registration:
    """One device to be registered. group_id: the group it joins, "" for none."""

    serial: str
    manufacturer: str = ""
    brand: str = ""
    model: str = ""
    group_id: str = ""


@dataclass(frozen=True, slots=True)
class RegistrationTerms:
    """What holds for all devices of one registration. license_model: id, "" runs on a trial license.

    auto_renew: None leaves it to the service.
    """

    license_model: str = ""
    auto_renew: bool | None = None
