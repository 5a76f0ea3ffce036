"""Parts for the store's tests: devices, a clock that is set by hand."""

from __future__ import annotations

from mdm_tui.fleet.devices import Device

SCOPE = "applivery:acme"


class Hand:
    """A clock set by hand."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def device(device_id: str, *, detail: bool = False, raw: str = "", unreadable: str = "", **values: object) -> Device:
    """A device that says `values` and nothing else."""
    said = {"id": device_id, "name": f"device {device_id}", **values}
    return Device(device_id, said, raw or f'{{"id": "{device_id}"}}', detail, unreadable)  # type: ignore[arg-type]
