"""The screens on top: which there are, what each needs of a service, and how each is made on a session.

A mode is named `connection/screen`, so that every connection keeps screens of its own; `BOTH` belongs to all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mdm_tui.fleet.provider import Capability

if TYPE_CHECKING:
    from textual.screen import Screen

    from mdm_tui.services.session import Session

__all__ = ["BOTH", "LATER", "SCREENS", "Place", "makers", "missing", "mode_name", "screen_of"]

BOTH: Final = "both"
"""The mode of the joined list; no connection can be called so in a mode's name, which has a slash."""


class Place(NamedTuple):
    """A screen on top. words: what the service must offer for it, for the sentence when it does not."""

    key: str
    number: int
    title: str
    needs: Capability | None = None
    words: str = ""


SCREENS: Final = (
    Place("devices", 1, "Devices"),
    Place("policies", 2, "Policies", Capability.POLICIES, "policies"),
    Place("queue", 3, "Queue", Capability.COMMANDS, "commands"),
    Place("groups", 6, "Groups", Capability.GROUPS, "groups"),
    Place("apps", 7, "Apps", Capability.APPS, "a catalogue of apps"),
    Place("images", 8, "Images", Capability.IMAGES, "system images"),
    Place("rollouts", 9, "Rollouts", Capability.ROLLOUTS, "rollouts"),
)
LATER: Final = {
    "activity": "Activity, the journal on a screen, is not in this version; the Queue (3) has the commands.",
    "pulse": "Pulse, the fleet at a glance, is not in this version; f on the Devices screen shows the faults.",
}
_BY_KEY: Final = {place.key: place for place in SCREENS}


def mode_name(connection: str, screen: str) -> str:
    """The mode of a connection's screen."""
    return f"{connection}/{screen}"


def screen_of(mode: str) -> str:
    """Which screen a mode is of: `devices` of `acme/devices`."""
    return mode.rpartition("/")[2]


def missing(session: Session, screen: str) -> str:
    """Why a screen cannot be shown on this connection, as a sentence; "" when it can."""
    if screen in LATER:
        return LATER[screen]
    place = _BY_KEY.get(screen)
    if place is None or place.needs is None or place.needs in session.factory.capabilities:
        return ""
    return f"{session.factory.title} offers no {_bare(place.words)} through its API, so there is nothing to show here."


def _bare(words: str) -> str:
    return words.removeprefix("a ")


def makers(session: Session) -> dict[str, Callable[[], Screen[Any]]]:
    """How the first screen of each mode of a connection is made; imported when it is first shown."""

    def devices() -> Screen[Any]:
        from mdm_tui.tui.screens.devices import DevicesScreen

        return DevicesScreen(session)

    def policies() -> Screen[Any]:
        from mdm_tui.tui.screens.policies import PoliciesScreen

        return PoliciesScreen(session)

    def queue() -> Screen[Any]:
        from mdm_tui.tui.screens.queue import QueueScreen

        return QueueScreen(session)

    def groups() -> Screen[Any]:
        return _screen("groups", "GroupsScreen")(session)

    def apps() -> Screen[Any]:
        return _screen("apps", "AppsScreen")(session)

    def images() -> Screen[Any]:
        return _screen("images", "ImagesScreen")(session)

    def rollouts() -> Screen[Any]:
        return _screen("rollouts", "RolloutsScreen")(session)

    found = {
        "devices": devices,
        "policies": policies,
        "queue": queue,
        "groups": groups,
        "apps": apps,
        "images": images,
        "rollouts": rollouts,
    }
    name = session.connection.name
    return {mode_name(name, screen): make for screen, make in found.items()}


def _screen(module: str, name: str) -> Any:
    from importlib import import_module

    return getattr(import_module(f"mdm_tui.tui.screens.{module}"), name)
