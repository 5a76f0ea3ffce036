"""The simulated devices as agents: a heap of what is due next. Cost follows events, never the number of devices."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from .chance import mix, unit
from .clock import HOUR, SECOND
from .effects import carry_out
from .nature import asleep, policy_failure, reachable
from .records import (
    ACTIVE,
    DONE,
    ERROR,
    EXPIRED,
    GONE,
    PENDING,
    PROVISIONING,
    REBOOT,
    RECEIVED,
    SILENT,
    Command,
    Device,
)

if TYPE_CHECKING:
    from .world import World

CHECK_IN, SYNC, PUSH, DELIVER, RECEIVE, FINISH, EXPIRE, TOUCH, UNIT, ROLLOUT = range(10)

TOUCH_SLICE = 200


class Agents:
    """Who does what when. Due times are milliseconds of the world's clock; equal times keep their order of arrival."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._heap: list[tuple[int, int, int, Any]] = []
        self._arrivals = 0
        self._handlers = (
            self._check_in,
            self._sync,
            self._push,
            self._deliver,
            self._receive,
            self._finish,
            self._expire,
            self._touch,
            world.life.check_in,
            world.rollout_agents.step,
        )

    def start(self) -> None:
        """Fill the heap from the database. Time in which the server was down is not replayed."""
        world = self._world
        now = world.clock.now()
        for n, rhythm, habit in world.database.all("SELECT n, rhythm, habit FROM device WHERE state <> 'gone'"):
            span = HOUR / 2 if habit == SILENT else rhythm * SECOND
            due = now + int(span * unit(world.seed, n, 101) / world.speed)
            self._arrivals += 1
            self._heap.append((due, self._arrivals, CHECK_IN, n))
        heapq.heapify(self._heap)
        for ids in list(world.commands.open.values()):
            for command_id in ids:
                command = world.commands.get(command_id)
                self.at(max(now, command.expires_at), EXPIRE, command_id)
                if command.status == RECEIVED:
                    self.at(now + self._delay(2, 8, command.number, 102), FINISH, command_id)
                elif command.push_id:
                    self.at(now + self._delay(1, 5, command.number, 103), PUSH, command_id)

    def at(self, due: int, kind: int, subject: Any) -> None:
        """Schedule."""
        self._arrivals += 1
        heapq.heappush(self._heap, (due, self._arrivals, kind, subject))
        self._world.wake()

    def unit_at(self, due: int, u: int) -> None:
        """Schedule the next check-in of a unit that stands for no device."""
        self.at(due, UNIT, u)

    def rollout_at(self, due: int, subject: Any) -> None:
        """Schedule a step of a rollout."""
        self.at(due, ROLLOUT, subject)

    def next_due(self) -> int | None:
        """When something happens next, or None."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Let the next thing happen."""
        _, _, kind, subject = heapq.heappop(self._heap)
        self._handlers[kind](subject)

    def queue_command(self, command: Command) -> None:
        """A command was asked for: it expires, and is pushed where there is a push token."""
        self.at(command.expires_at, EXPIRE, command.id)
        if command.push_id:
            self.at(self._world.clock.now() + self._delay(0.3, 0.9, command.number, 104), PUSH, command.id)

    def policy_changed(self, policy_id: str) -> None:
        """Devices that obey the policy show it at once and fetch it soon."""
        self.at(self._world.clock.now(), TOUCH, (policy_id, -1))

    def poke(self, device: Device) -> None:
        """Something was set for this device: it is pushed to look, if it can hear."""
        world = self._world
        now = world.clock.now()
        if device.has_push and reachable(world.seed, device, now):
            self.at(now + self._delay(2, 8, device.n, now), SYNC, device.n)

    def _delay(self, low: float, high: float, *parts: int) -> int:
        """Seconds between two bounds, as milliseconds shortened by the speed."""
        seconds = low + (high - low) * unit(self._world.seed, *parts)
        return max(1, int(seconds * SECOND / self._world.speed))

    # What devices do

    def _check_in(self, n: int) -> None:
        world = self._world
        device = world.devices.at(n)
        if device.state == GONE:
            world.life.lost(n)
            return
        now = world.clock.now()
        span = device.rhythm * SECOND * (0.8 + 0.4 * unit(world.seed, n, now))
        if device.habit == SILENT:
            span = HOUR
        elif asleep(world.seed, device, now):
            span *= 4
        self.at(now + max(200, int(span / world.speed)), CHECK_IN, n)
        if reachable(world.seed, device, now):
            self._report(device)
        else:
            world.life.lost(n)

    def _sync(self, n: int) -> None:
        device = self._world.devices.at(n)
        if device.state != GONE:
            self._report(device)

    def _report(self, device: Device) -> None:
        """The device tells its state, fetches its policy and asks for commands."""
        world = self._world
        now = world.clock.now()
        columns: dict[str, Any] = {"reported_at": now}
        if device.state == PROVISIONING:
            columns |= {"state": ACTIVE, "enrolled_at": now}
        if device.effective_id and not world.policies.is_applied(device):
            columns |= self._apply_policy(device, now)
        luck = mix(world.seed, device.n, 105, now)
        if luck % 400 == 0:
            world.devices.note(device.n, now - 50 * SECOND, "shutdown")
            world.devices.note(device.n, now - 15 * SECOND, "boot")
            columns["booted_at"] = now - 15 * SECOND
        world.devices.change(device, **columns)
        world.life.heard(device)
        for command_id in list(world.commands.open.get(device.n, ())):
            command = world.commands.get(command_id)
            if command.status == PENDING and command.delivered_at is None:
                world.commands.change(command, delivered_at=now, sent_at=command.sent_at or now)
                self.at(now + self._delay(0.3, 1.2, command.number, 106), RECEIVE, command_id)

    def _apply_policy(self, device: Device, now: int) -> dict[str, Any]:
        world = self._world
        policy = world.policies.all[device.effective_id or ""]
        if reason := policy_failure(world.seed, device.n, now):
            return {"applied_at": now, "applied_error": reason}
        return {
            "applied_id": policy.id,
            "applied_version": policy.version,
            "applied_at": now,
            "applied_error": None,
        }

    def _touch(self, subject: tuple[str, int]) -> None:
        policy_id, after = subject
        world = self._world
        numbers = world.devices.touch_policy(policy_id, after, TOUCH_SLICE)
        now = world.clock.now()
        for device in world.devices.several(numbers):
            if device.has_push and reachable(world.seed, device, now):
                self.at(now + self._delay(3, 60, device.n, 110, now), SYNC, device.n)
        if len(numbers) == TOUCH_SLICE:
            self.at(now, TOUCH, (policy_id, numbers[-1]))

    # What becomes of a command

    def _under_way(self, command_id: str, status: str) -> tuple[Command, Device] | None:
        command = self._world.commands.get(command_id)
        if command.status != status:
            return None
        device = self._world.devices.at(command.n)
        return None if device.state == GONE else (command, device)

    def _push(self, command_id: str) -> None:
        if (found := self._under_way(command_id, PENDING)) is None:
            return
        command, device = found
        world = self._world
        now = world.clock.now()
        if command.sent_at is None:
            world.commands.change(command, sent_at=now)
        if reachable(world.seed, device, now):
            self.at(now + self._delay(1, 5, command.number, 111), DELIVER, command_id)

    def _deliver(self, command_id: str) -> None:
        found = self._under_way(command_id, PENDING)
        if found is None or found[0].delivered_at is not None:
            return
        command, _ = found
        now = self._world.clock.now()
        self._world.commands.change(command, delivered_at=now)
        self.at(now + self._delay(0.5, 3, command.number, 112), RECEIVE, command_id)

    def _receive(self, command_id: str) -> None:
        if (found := self._under_way(command_id, PENDING)) is None:
            return
        command, device = found
        world = self._world
        now = world.clock.now()
        world.commands.change(command, status=RECEIVED, received_at=now)
        if command.kind == REBOOT:
            world.devices.note(device.n, now + SECOND, "shutdown")
            delay = self._delay(12, 30, command.number, 113)
        else:
            delay = self._delay(0.5, 3, command.number, 113)
        # One device in some hundreds takes a command and is not heard of again before it expires.
        if mix(world.seed, command.number, 114) % 300:
            self.at(now + delay, FINISH, command_id)

    def _finish(self, command_id: str) -> None:
        if (found := self._under_way(command_id, RECEIVED)) is None:
            return
        command, device = found
        world = self._world
        now = world.clock.now()
        outcome = carry_out(world, device, command, now)
        result: dict[str, Any] = {"at": now}
        if outcome.data:
            result["data"] = outcome.data
        if outcome.error:
            result |= {"error": outcome.error, "kind": outcome.error_kind}
        world.commands.change(command, status=ERROR if outcome.error else DONE, results=[*command.results, result])
        columns = dict(outcome.columns)
        if columns.get("state") != GONE:
            columns["reported_at"] = now
        world.devices.change(device, **columns)

    def _expire(self, command_id: str) -> None:
        command = self._world.commands.get(command_id)
        if command.status in (PENDING, RECEIVED):
            self._world.commands.change(command, status=EXPIRED)
