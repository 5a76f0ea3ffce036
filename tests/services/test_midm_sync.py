"""Polling a service whose devices check in without a change of their record: both are seen, at one call a look."""

from __future__ import annotations

from pathlib import Path

from mdm_tui.fleet.devices import Value
from mdm_tui.services.session import Session
from mdm_tui.store.mirror import View
from tests.faulty import Seen

from .midmhouse import MidmHouse
from .virtual import VirtualClock


def shown(session: Session, column: str) -> dict[str, Value]:
    rows = session.mirror.first(View(session.scope), 1_000)[1]
    return {row.id: row.values[column] for row in rows}


def looks(seen: list[Seen]) -> list[tuple[str, str]]:
    return [(call.params["sortBy"], call.params["page"]) for call in seen]


async def test_check_ins_and_changes_are_both_seen(tmp_path: Path, clock: VirtualClock) -> None:
    house = MidmHouse(tmp_path, clock, devices=60)
    try:
        session = await house.started(page_size=10)
        assert len(shown(session, "seen")) > 40, "the walk has read them all"

        async def quiet_look() -> list[tuple[str, str]]:
            before = len(house.net.seen)
            clock.moved = None
            session.sync.poke()
            await clock.settle()
            return looks(house.net.seen[before:])

        # Each order needs one look to compare with.
        await quiet_look()
        assert [await quiet_look() for _ in range(2)] == [[("lastCheckedIn", "0")], [("updated", "0")]]

        # What others ask for in between moves no turn.
        await session.context.call(lambda provider: provider.devices(1, 1, newest_first=True))
        assert [await quiet_look() for _ in range(2)] == [[("lastCheckedIn", "0")], [("updated", "0")]]

        now = house.world.clock.now() + 1000
        house.world.clock.move_to(now)
        house.world.database.run("UPDATE unit SET checked_in_at = ? WHERE enrolled_at IS NOT NULL", (now,))
        known = dict(house.world.database.all("SELECT uuid, checked_in_at FROM unit WHERE enrolled_at IS NOT NULL"))
        assert len(known) > 20, "more than two pages of them"
        read = await quiet_look()
        assert {order for order, _ in read} == {"lastCheckedIn"}
        assert {id for id, at in shown(session, "seen").items() if at == now / 1000} == set(known)

        unit = next(iter(known))
        house.world.units.change(house.world.units.get(unit), enabled=0)
        assert await quiet_look() == [("updated", "0")]
        assert shown(session, "state")[unit] == "DISABLED"
    finally:
        await house.close()


async def test_a_wrong_password_is_sent_once_until_a_person_asks_or_the_file_has_another(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = MidmHouse(tmp_path, clock, devices=12)
    files = {name: tmp_path / name for name in ("password_file", "api_key_file")}
    for path, text in zip(files.values(), ("not the password", house.fleet.api_key), strict=True):
        path.touch(0o600)
        path.write_text(text)
    session = house.session(**{name: str(path) for name, path in files.items()})
    session._given = False
    try:
        await session.start()
        await clock.advance(86_400)
        assert [call.path for call in house.net.seen] == ["/portal/V1/auth"]
        error = session.sync.state.error
        assert session.sync.state.phase == "signed_out" and error is not None
        assert "not tried again by itself" in error.sentence() and "press" not in error.sentence(), "also without keys"
        session.sync.poke()
        await clock.advance(86_400)
        assert len(house.net.seen) == 2
        files["password_file"].write_text(house.fleet.password)
        await clock.advance(301)
        assert session.sync.state.phase == "fresh"
        assert len(house.asked("/auth")) == 3
        house.sign_all_out()
        session.sync.poke()
        await clock.settle()
        assert session.sync.state.phase == "fresh", "a session that ended is renewed"
        assert len(house.asked("/auth")) == 4
    finally:
        await house.close()
