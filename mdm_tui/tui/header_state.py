"""What the header says on a screen, from its session, the counted numbers and the other connections that are open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.text import clean
from mdm_tui.tui.actions import key_text
from mdm_tui.tui.modes import SCREENS
from mdm_tui.tui.widgets.header import HeaderState, Others, Tab

if TYPE_CHECKING:
    from mdm_tui.fleet.provider import Meter
    from mdm_tui.services.session import Session
    from mdm_tui.tui.app import MdmApp
    from mdm_tui.tui.bridge import Tally
    from mdm_tui.tui.screens.base import FleetScreen

__all__ = ["both_state", "header_state", "others", "phase_of", "spent", "tabs"]

# The worst first; the words in which the header says that another connection is in this state.
_WORST = (
    ("signed_out", "signed out", "bad"),
    ("stale", "stale", "warn"),
    ("paused", "asked to wait", "warn"),
    ("starting", "starting", "muted"),
    ("syncing", "reading", "muted"),
)


def header_state(screen: FleetScreen, tally: Tally | None, last_known: float | None) -> HeaderState:
    """What the header says on this screen.

    last_known: how old the mirror was when the session was opened; it is the data's age until the first poll.
    """
    session = screen.session
    app = screen.app
    connection = session.connection
    sync = session.sync
    state = sync.state if sync is not None else None
    provider = session.provider
    meter = provider.meter if provider is not None else None
    narrowed = app.narrowed(session)
    return HeaderState(
        name=connection.name,
        title=session.factory.title,
        production=connection.production,
        locked=session.writable,
        armed=session.arming.left(),
        arm_key=key_text(app.keys_of("arm")),
        scope=f"segment {narrowed.name}" if narrowed.ids else "",
        phase=phase_of(state),
        last_ok=state.last_ok if state and state.last_ok is not None else last_known,
        next_at=state.next_at if state else None,
        error=state.error if state else None,
        walked=state.walked or 0 if state else 0,
        total=state.total if state else None,
        refused=max(
            ((name, when) for name, (when, _said) in session.refused.items()), key=lambda one: one[1], default=None
        ),
        sign_in=session.sign_in,
        used=meter.used if meter else 0,
        limit=meter.limit if meter else connection.budget,
        spent=spent([meter]),
        tabs=tabs(session, tally),
        current=screen.TAB,
        problems=tally.problems if tally else None,
        silent=tally.silent if tally else None,
        others=others(app, (session,)),
        trouble=_trouble(app, [session]),
    )


def both_state(app: MdmApp, total: int | None) -> HeaderState:
    """What the header says on the screen of all open connections: the oldest data, the worst state, calls together.

    total: rows of the joined list.
    """
    sessions = list(app.sessions.values())
    states = [session.sync.state for session in sessions]
    phases = [phase_of(state) for state in states]
    worst = next((phase for phase, _words, _role in _WORST if phase in phases), "fresh")
    shown = states[phases.index(worst)] if worst in phases else states[0]
    meters = [session.provider.meter if session.provider is not None else None for session in sessions]
    lasts = [state.last_ok or app.last_known(session) for state, session in zip(states, sessions, strict=True)]
    known = [at for at in lasts if at is not None]
    production = [session for session in sessions if session.connection.production]
    return HeaderState(
        name=" + ".join(session.connection.name for session in sessions),
        title="joined by serial",
        production=bool(production),
        locked="LOCKED" if production and all(session.writable for session in production) else "",
        armed=max((session.arming.left() for session in production), default=0.0),
        arm_key=key_text(app.keys_of("arm")),
        phase=worst,
        last_ok=min(known) if known else None,
        next_at=shown.next_at,
        error=shown.error,
        walked=shown.walked or 0,
        total=shown.total,
        used=sum(meter.used for meter in meters if meter),
        limit=sum(meter.limit if meter else session.connection.budget
                  for meter, session in zip(meters, sessions, strict=True)),
        spent=spent(meters),
        tabs=(Tab("both", "B", "Both", total), *tabs(app.session, app.tally_of(app.session))),
        current="both",
        trouble=_trouble(app, sessions),
    )  # fmt: skip


def _trouble(app: MdmApp, sessions: Iterable[Session]) -> str:
    """Why a connection reads nothing more until somebody acts, of those that are signed out."""
    found = [(session.connection.name, session.sync.state.error) for session in sessions
             if session.sync is not None and phase_of(session.sync.state) == "signed_out"]  # fmt: skip
    said = [f"{name}: {error.sentence()}" for name, error in found if error is not None]
    if said:
        said.append(f"{key_text(app.keys_of('refresh'))} tries again then.")
    return clean(" ".join(said), 600)


def phase_of(state: Any) -> str:
    """The phase of a synchronisation as a word; `starting` where there is none."""
    if state is None:
        return "starting"
    phase = str(getattr(state.phase, "value", state.phase))
    return "stale" if state.error is not None and phase == "fresh" else phase


def tabs(session: Session, tally: Tally | None) -> tuple[Tab, ...]:
    """The screens that this service has something for, with what is counted; their digits are the same everywhere."""
    offered = session.factory.capabilities
    return tuple(
        Tab(place.key, place.number, place.title, tally.of(place.key) if tally else None)
        for place in SCREENS
        if place.needs is None or place.needs in offered
    )


def others(app: MdmApp, shown: Iterable[Session]) -> Others | None:
    """What to say of the connections that are open beside those shown: how many, and the worst of their states.

    An armed one comes before all others: it can be changed by a slip.
    """
    beside = [session for session in app.sessions.values() if session not in shown]
    if not beside:
        return None
    for session in beside:
        if session.connection.production and session.arming.left() > 0:
            return Others(len(beside), "ARMED", session.connection.name, "warn")
    phases = {session.connection.name: phase_of(session.sync.state if session.sync else None) for session in beside}
    for phase, words, role in _WORST:
        name = next((name for name, found in phases.items() if found == phase), None)
        if name is not None:
            return Others(len(beside), words, name, role)
    return Others(len(beside), "fresh", "", "muted")


def spent(meters: Iterable[Meter | None]) -> tuple[tuple[str, int], ...]:
    """Who made the calls of the last hour, the most first."""
    made: dict[str, int] = {}
    for meter in meters:
        for purpose, count in meter.by_purpose.items() if meter else ():
            made[purpose.value] = made.get(purpose.value, 0) + count
    return tuple(sorted(((name, count) for name, count in made.items() if count), key=lambda one: (-one[1], one[0])))
