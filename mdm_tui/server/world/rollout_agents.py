"""Rolling out, in virtual time: units in scope wait, download, install; some fail and try again a few times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import mix, unit
from .clock import HOUR, MINUTE, SECOND
from .errors import NotThere
from .rollout_effects import apply
from .rollout_holds import why_hold, why_wait
from .rollout_words import Wishes
from .rollout_work import Step, work_for
from .rollouts import DONE, DOWNLOADING, FAILED, FINAL, INSTALLING, REFUSED, WAITING, RolloutRecord
from .units import UnitRecord

if TYPE_CHECKING:
    from .world import World

PLAN, TICK, HAND_OUT, UNIT, UNSCOPE = range(5)
SLICE = 500
ATTEMPTS = 3

# After a start the site first hears its devices.
WARM_UP = 2 * MINUTE

# Bytes a millisecond.
RATE = 2500

_ENDED = "the rollout ended before the device took it"
_DOWNLOAD_FAILURES = ("the download broke off", "not enough storage", "the checksum of the download is wrong")
_INSTALL_FAILURES = ("the installer ended unexpectedly", "verification failed", "the battery was too low")


class RolloutAgents:
    """Who installs what when. Each step is on the agents' heap; what is lost with the process is worked out again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._db = world.database
        # Which repetition each rollout is in, and whose done devices leave the scope soon.
        self._round: dict[str, int] = {}
        self._leaving: set[str] = set()

    def start(self) -> None:
        """Go on where the units of rollouts stood."""
        for rollout in self._world.rollouts.all():
            if rollout.enabled:
                self._db.run("UPDATE rollout_unit SET state = ? WHERE rollout = ? AND state IN (?,?)",
                             (WAITING, rollout.uuid, DOWNLOADING, INSTALLING))  # fmt: skip
                self._db.run("UPDATE rollout_unit SET step = -step - 1 WHERE rollout = ? AND state = ? AND step >= 0",
                             (rollout.uuid, WAITING))  # fmt: skip
                self.planned(rollout, WARM_UP)
                self._leave(rollout, WARM_UP)

    def planned(self, rollout: RolloutRecord, delay: int = SECOND) -> None:
        """A rollout was saved: it begins when it is due, and not before `delay` (milliseconds) from now."""
        wishes = self._world.rollouts.wishes(rollout)
        now = self._world.clock.now() + int(delay / self._world.speed)
        self._round.pop(rollout.uuid, None)
        self._leaving.discard(rollout.uuid)
        if rollout.enabled:
            self._world.agents.rollout_at(max(now, wishes.starts_at), (TICK, rollout.uuid, rollout.revision, 0))

    def look_again(self) -> None:
        """Units came or moved: each rollout under way looks at its scope."""
        now = self._world.clock.now()
        for uuid, revision in self._db.all("SELECT uuid, revision FROM rollout WHERE enabled = 1 ORDER BY rowid"):
            if uuid in self._round:
                self._world.agents.rollout_at(now, (PLAN, uuid, revision, 0))

    def step(self, subject: tuple[int, str, int, int]) -> None:
        """Let the next thing happen in a rollout; nothing if it was saved again or removed meanwhile."""
        kind, uuid, revision, u = subject
        try:
            rollout = self._world.rollouts.current(uuid)
        except NotThere:
            return
        if rollout.revision != revision or not rollout.enabled:
            return
        wishes = self._world.rollouts.wishes(rollout)
        if kind == UNIT:
            self._unit(rollout, wishes, u)
        elif kind == TICK:
            self._tick(rollout, wishes)
        elif kind == UNSCOPE:
            self._unscope(rollout, wishes)
        elif self._over(wishes):
            return
        elif kind == PLAN:
            self._plan(rollout, wishes)
        else:
            self._hand_out(rollout)

    # The scope

    def _over(self, wishes: Wishes) -> bool:
        return wishes.ends_at is not None and self._world.clock.now() >= wishes.ends_at

    def _tick(self, rollout: RolloutRecord, wishes: Wishes) -> None:
        """Once an hour: the calendar, and who is in scope now."""
        now = self._world.clock.now()
        if self._over(wishes):
            # What is being installed is not broken off; nobody new is looked for.
            self._round.pop(rollout.uuid, None)
            self._db.run(
                "UPDATE rollout_unit SET state = ?, reason = ?, at = ? WHERE rollout = ? AND state IN (?,?)",
                (FAILED, _ENDED, now, rollout.uuid, WAITING, DOWNLOADING),
            )
            return
        begun = wishes.starts_at or rollout.created_at
        turn = (now - begun) // wishes.every if wishes.every else 0
        if self._round.setdefault(rollout.uuid, turn) != turn:
            self._round[rollout.uuid] = turn
            # Another time for those that failed, and for those that have lost it since.
            self._db.run(
                "UPDATE rollout_unit SET state = ?, reason = '', attempts = 0, step = -1 WHERE rollout = ? "
                "AND state IN (?,?,?)",
                (WAITING, rollout.uuid, *FINAL),
            )
        self._plan(rollout, wishes)
        again = now + HOUR
        if wishes.every:
            again = min(again, max(now + MINUTE, begun + (turn + 1) * wishes.every))
        if wishes.ends_at is not None:
            again = min(again, max(now + 1, wishes.ends_at))
        self._world.agents.rollout_at(again, (TICK, rollout.uuid, rollout.revision, 0))

    def _plan(self, rollout: RolloutRecord, wishes: Wishes) -> None:
        """Units that are new in the scope are noted; those that left it are forgotten."""
        now = self._world.clock.now()
        clause, params = self._world.rollouts.scope_clause(wishes)
        self._db.run(
            f"INSERT OR IGNORE INTO rollout_unit SELECT ?, u, ?, '', -1, 0, ? FROM unit WHERE {clause}",
            [rollout.uuid, WAITING, now, *params],
        )
        self._db.run(
            "DELETE FROM rollout_unit WHERE rollout = ? AND state = ? "
            f"AND u NOT IN (SELECT u FROM unit WHERE {clause})",
            [rollout.uuid, WAITING, *params],
        )
        self._hand_out(rollout)

    def _hand_out(self, rollout: RolloutRecord) -> None:
        """Units that are new in the scope get their turn, some hundreds at a time."""
        fresh = self._db.all(
            "SELECT u, step FROM rollout_unit WHERE rollout = ? AND step < 0 ORDER BY u LIMIT ?", (rollout.uuid, SLICE)
        )
        self._db.many(
            "UPDATE rollout_unit SET step = ? WHERE rollout = ? AND u = ?",
            [(-step - 1, rollout.uuid, u) for u, step in fresh],
        )
        for u, _ in fresh:
            self._later(rollout, u, 5 * SECOND, 10 * MINUTE)
        if len(fresh) == SLICE:
            self._world.agents.rollout_at(self._world.clock.now(), (HAND_OUT, rollout.uuid, rollout.revision, 0))

    # One unit

    def _later(self, rollout: RolloutRecord, u: int, low: float, high: float) -> None:
        """Look at a unit again between two bounds from now (milliseconds, shortened by the speed)."""
        world = self._world
        now = world.clock.now()
        span = (low + (high - low) * unit(world.seed, u, 9501, now)) / world.speed
        world.agents.rollout_at(now + max(1, int(span)), (UNIT, rollout.uuid, rollout.revision, u))

    def _set(self, rollout: RolloutRecord, u: int, state: str, reason: str = "", **columns: int) -> None:
        names = "".join(f", {name} = ?" for name in columns)
        self._db.run(
            f"UPDATE rollout_unit SET state = ?, reason = ?, at = ?{names} WHERE rollout = ? AND u = ?",
            [state, reason, self._world.clock.now(), *columns.values(), rollout.uuid, u],
        )

    def _unit(self, rollout: RolloutRecord, wishes: Wishes, u: int) -> None:
        row = self._db.one(
            "SELECT state, step, attempts FROM rollout_unit WHERE rollout = ? AND u = ?", (rollout.uuid, u)
        )
        if row is None or row[0] in FINAL:
            return
        state, done, attempts = row
        known = self._world.units.at(u)
        if state == WAITING and not self._over(wishes) and (why := why_wait(self._world, known, wishes)):
            self._wait(rollout, u, WAITING, why)
            return
        if state == INSTALLING and not known.online:
            # What it did off the line is heard when it is back.
            self._wait(rollout, u, INSTALLING, "the device is offline")
            return
        work = work_for(self._world, known, wishes)
        if work.step is None:
            self._finish(rollout, wishes, known, work.refused)
        elif state != INSTALLING and self._over(wishes):
            self._set(rollout, u, FAILED, _ENDED)
        elif state == WAITING:
            self._download(rollout, known, work.step)
        elif state == DOWNLOADING:
            self._install(rollout, wishes, known, work.step, attempts)
        else:
            self._installed(rollout, wishes, known, work.step, done, attempts)

    def _wait(self, rollout: RolloutRecord, u: int, state: str, why: str) -> None:
        self._set(rollout, u, state, why)
        self._later(rollout, u, 10 * MINUTE, 20 * MINUTE)

    def _download(self, rollout: RolloutRecord, known: UnitRecord, step: Step) -> None:
        self._set(rollout, known.u, DOWNLOADING, step.label)
        span = step.size / RATE
        self._later(rollout, known.u, 2 * SECOND + span, 10 * SECOND + 3 * span)

    def _luck(self, rollout: RolloutRecord, known: UnitRecord, salt: int) -> int:
        return mix(self._world.seed, known.u, salt, int(rollout.uuid[:8], 16), self._world.clock.now())

    def _install(self, rollout: RolloutRecord, wishes: Wishes, known: UnitRecord, step: Step, attempts: int) -> None:
        """The download is there."""
        if why := why_hold(self._world, known, wishes, step):
            self._wait(rollout, known.u, DOWNLOADING, why)
            return
        luck = self._luck(rollout, known, 9502)
        # Some units never have room for a system image, any may lose its network once.
        if step.image and mix(self._world.seed, known.u, 9503) % 40 == 0:
            self._fail(rollout, known, step, attempts, _DOWNLOAD_FAILURES[1])
            return
        if luck % 25 == 0:
            self._fail(rollout, known, step, attempts, _DOWNLOAD_FAILURES[(luck >> 8) % 3])
            return
        self._set(rollout, known.u, INSTALLING, step.label)
        silent = step.wish.silent if step.wish else wishes.silent_images
        if not silent:
            self._later(rollout, known.u, 5 * MINUTE, 2 * HOUR)
        elif step.image:
            self._later(rollout, known.u, 5 * MINUTE, 16 * MINUTE)
        else:
            self._later(rollout, known.u, 8 * SECOND, 50 * SECOND)

    def _installed(
        self, rollout: RolloutRecord, wishes: Wishes, known: UnitRecord, step: Step, done: int, attempts: int
    ) -> None:
        luck = self._luck(rollout, known, 9504)
        silent = step.wish.silent if step.wish else wishes.silent_images
        if not silent and luck % 9 == 0:
            self._fail(rollout, known, step, attempts, "somebody at the device said no")
        elif step.package and mix(self._world.seed, known.u, 9505, step.package.version_code) % 45 == 0:
            self._fail(rollout, known, step, attempts, "its signature differs from the installed one's")
        elif luck % 30 == 1:
            self._fail(rollout, known, step, attempts, _INSTALL_FAILURES[(luck >> 8) % 3])
        else:
            apply(self._world, known, step)
            self._set(rollout, known.u, WAITING, "", step=done + 1, attempts=0)
            self._later(rollout, known.u, SECOND, 5 * SECOND if not step.image else 3 * MINUTE)

    def _fail(self, rollout: RolloutRecord, known: UnitRecord, step: Step, attempts: int, why: str) -> None:
        """Tried again later, a few times."""
        reason = f"{step.label}: {why}"
        self._world.units.note(known.u, "rollout", f"{rollout.name}: {reason}")
        attempts += 1
        self._set(rollout, known.u, FAILED if attempts >= ATTEMPTS else WAITING, reason, attempts=attempts)
        if attempts < ATTEMPTS:
            self._later(rollout, known.u, 20 * MINUTE * attempts, 40 * MINUTE * attempts)

    def _finish(self, rollout: RolloutRecord, wishes: Wishes, known: UnitRecord, refused: tuple[str, ...]) -> None:
        state = REFUSED if refused else DONE
        self._set(rollout, known.u, state, "; ".join(refused))
        said = f"{rollout.name}: {'; '.join(refused) if refused else 'applied'}"
        if wishes.settings and not refused:
            said += ", settings too"
        self._world.units.note(known.u, "rollout", said)
        if state == DONE and wishes.unscope_if_applied:
            # Those that follow soon leave together: each time the whole document is written.
            self._leave(rollout, 10 * MINUTE)

    def _leave(self, rollout: RolloutRecord, delay: int) -> None:
        if rollout.uuid not in self._leaving:
            self._leaving.add(rollout.uuid)
            due = self._world.clock.now() + max(1, int(delay / self._world.speed))
            self._world.agents.rollout_at(due, (UNSCOPE, rollout.uuid, rollout.revision, 0))

    def _unscope(self, rollout: RolloutRecord, wishes: Wishes) -> None:
        """Devices that are done leave the scope, all that are by now at once."""
        self._leaving.discard(rollout.uuid)
        if wishes.unscope_if_applied:
            sql = "SELECT serial, uuid FROM rollout_unit JOIN unit USING (u) WHERE rollout = ? AND state = ?"
            rows = self._db.all(sql, (rollout.uuid, DONE))
            self._world.rollouts.unscope(rollout, {entry for row in rows for entry in row})
