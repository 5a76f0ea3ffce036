"""Rollouts against the embedded server's real application: what is predicted is what happens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mdm_tui.config.connections import Connection
from mdm_tui.config.credentials import Secret
from mdm_tui.config.paths import Paths
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.rollouts import RolloutApp
from mdm_tui.server.testing import Fleet, fleet
from mdm_tui.server.world.image_choice import State, choose
from mdm_tui.services.documents import Changed
from mdm_tui.services.rollouts_save import RolloutSaved
from mdm_tui.services.session import Session

from .virtual import VirtualClock

DEVICES = 60


class Site:
    """A session on the server's MiDM side; nothing polls."""

    def __init__(self, there: Fleet, session: Session) -> None:
        self.fleet = there
        self.world = there.world
        self.session = session
        self.rollouts = session.rollouts
        self.form = session.rollouts.form

    async def walk(self) -> None:
        """Read all devices."""
        context = self.session.context
        number = 1
        while True:
            page = await context.call(lambda provider, number=number: provider.devices(number, 100))
            await context.mirror.apply(context.scope, page.items, at=context.clock.now(), walk=None)
            if not page.has_next:
                return
            number += 1

    def document(self, name: str = "Spring", **parts: Any) -> dict[str, Any]:
        made = self.form.put(self.form.blank(), "name", name)
        for key, value in parts.items():
            made = self.form.put(made, key, value)
        return made

    async def save(self, document: dict[str, Any]) -> RolloutSaved:
        plan = await self.rollouts.plan(None, json.dumps(document))
        saved = await self.rollouts.save(plan, plan.typed)
        assert isinstance(saved, RolloutSaved)
        return saved


async def _site(path: Path, clock: VirtualClock, **more: Any) -> tuple[Site, Session]:
    there = fleet(DEVICES, 3, **more)
    connection = Connection(
        name="depot", provider="midm", url="http://127.0.0.1", organization=there.site, email=there.email
    )
    session = Session(
        connection,
        Paths(path, path, path, path),
        clock=clock,
        transport=httpx.ASGITransport(there.app),
        secrets={"api_key": Secret(there.api_key), "password": Secret(there.password)},
    )
    session.open_store()
    await session.open_files()
    return Site(there, session), session


@pytest.fixture
async def site(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Site]:
    site, session = await _site(tmp_path, clock)
    await site.walk()
    yield site
    await session.stop()
    site.world.close()


async def test_every_rollout_of_the_site_is_read_checked_and_goes_back_unchanged(site: Site) -> None:
    listed = await site.rollouts.refresh()
    assert {rollout.id for rollout in listed} == {record.uuid for record in site.world.rollouts.all()}
    for rollout in listed:
        opened = await site.rollouts.open(rollout.id)
        plan = await site.rollouts.plan(rollout.id, opened.base, opened.base)
        assert plan.ready, plan.problems
        saved = await site.rollouts.save(plan, plan.typed)
        assert isinstance(saved, RolloutSaved)
        assert saved.differs == ()
        assert saved.base == opened.base


async def test_what_it_reaches_is_what_the_service_has_in_its_scope(site: Site) -> None:
    for record in site.world.rollouts.all():
        if record.document.get("isGlobal"):
            continue
        reach = await site.rollouts.resolve(record.document)
        clause, params = site.world.rollouts.scope_clause(site.world.rollouts.wishes(record))
        rows = site.world.database.all(f"SELECT uuid FROM unit WHERE {clause.removeprefix('enabled = 1 AND ')}", params)
        assert reach.devices == {row[0] for row in rows}
        assert reach.complete
        assert reach.registers == 0


async def test_a_certain_prediction_of_an_image_is_the_services_choice(site: Site) -> None:
    images = [image.id for image in await site.session.catalogue.refresh_images()]
    made = site.document(everyone=True, images=images, check_build_date=True)
    reach = await site.rollouts.resolve(made)
    prediction = await site.rollouts.choices(made, reach)
    certain = 0
    for device, choice in prediction.by_device.items():
        unit = site.world.units.get(device)
        state = State(unit.product, unit.ab, unit.build, unit.built_at, unit.region)
        there = [site.world.images.get(ref) for ref in images]
        done = choose([image for image in there if image.part == "base"], state, check_date=True, partial_first=None)
        base = [image for image in choice.images if site.world.images.get(image).part == "base"]
        if choice.outcome != "unknown":
            certain += 1
            assert base == [step.uuid for step in done.steps]
    assert certain > DEVICES / 2


async def test_saving_registers_only_what_was_confirmed(site: Site) -> None:
    made = site.document(devices=["NEVER-SEEN-1", "NEVER-SEEN-2"])
    plan = await site.rollouts.plan(None, json.dumps(made))
    assert plan.typed == "register 2"
    with pytest.raises(FleetError, match="not confirmed"):
        await site.rollouts.save(plan)
    assert not site.world.units.exists("NEVER-SEEN-1")
    await site.rollouts.save(plan, "register 2")
    assert site.world.units.exists("NEVER-SEEN-1")
    again = await site.rollouts.resolve(made)
    assert (again.registers, again.count) == (0, 2)


async def test_everyone_is_counted_by_the_service(site: Site) -> None:
    plan = await site.rollouts.plan(None, json.dumps(site.document(everyone=True, enabled=False)))
    assert plan.typed == str(site.world.database.one("SELECT count(*) FROM unit")[0])


async def test_somebody_elses_save_is_shown(site: Site) -> None:
    saved = await site.save(site.document(groups=[site.world.groups.all()[0].uuid]))
    record = site.world.rollouts.get(saved.rollout.id)
    site.world.rollouts.save(record.uuid, {**record.document, "enabled": False})
    mine = site.form.put(json.loads(saved.base), "name", "Mine")
    plan = await site.rollouts.plan(saved.rollout.id, json.dumps(mine), saved.base)
    changed = await site.rollouts.save(plan)
    assert isinstance(changed, Changed)
    merged = json.loads(changed.merged)
    assert (merged["enabled"], merged["profile"]["name"]) == (False, "Mine")
    assert site.world.rollouts.get(record.uuid).name == "Spring"


async def test_progress_follows_the_devices_as_they_install(site: Site) -> None:
    apps = await site.session.catalogue.refresh_apps()
    newest = max((app for app in apps if app.package == apps[0].package), key=lambda app: app.version_code or 0)
    everyone = (await site.rollouts.resolve(site.document(everyone=True))).devices
    # Those that something can be installed on: linked to a device of the world that checks in.
    units = [site.world.units.get(device) for device in sorted(everyone)]
    units = [unit for unit in units if unit.serial and unit.n is not None and unit.enabled and unit.checked_in_at][:12]
    chosen = [unit.serial for unit in units]
    saved = await site.save(site.document(devices=chosen, apps=[RolloutApp(newest.id, {"silent": True})]))

    async def done() -> int:
        progress = await site.rollouts.progress(saved.rollout.id)
        for row in progress.devices:
            installed = {item.package: item.version_code for item in site.world.units.installed(row.id)}
            has = installed.get(newest.package, -1) >= (newest.version_code or 0)
            assert row.apps[newest.id] == ("done" if has else "waiting")
        assert len(progress.devices) == len(chosen)
        return progress.apps[newest.id].done

    before = await done()
    assert before < len(chosen)
    site.world.advance(3 * 86_400)
    await site.session.clock.advance(61)  # type: ignore[attr-defined]
    assert await done() > before


async def test_a_service_without_the_paths_of_rollouts_says_so_and_scopes_are_resolved_all_the_same(
    tmp_path: Path, clock: VirtualClock
) -> None:
    site, session = await _site(tmp_path, clock, documented_only=True)
    try:
        await site.walk()
        with pytest.raises(FleetError) as lacking:
            await site.rollouts.refresh()
        assert lacking.value.kind in (Kind.UNSUPPORTED, Kind.NOT_FOUND)
        assert site.rollouts.error is lacking.value
        reach = await site.rollouts.resolve(site.document(everyone=True))
        assert reach.total == reach.mirrored
    finally:
        await session.stop()
        site.world.close()


async def test_a_hostile_fleet_costs_sentences_and_nothing_else(tmp_path: Path, clock: VirtualClock) -> None:
    site, session = await _site(tmp_path, clock, scenario="hostile")
    try:
        await site.walk()
        images = await site.session.catalogue.refresh_images()
        listed = await site.rollouts.refresh()
        assert listed
        for rollout in [one for one in listed if not one.unreadable]:
            opened = await site.rollouts.open(rollout.id)
            plan = await site.rollouts.plan(rollout.id, opened.base, opened.base)
            assert all(said.isprintable() for said in plan.sentences)
            assert all(problem.message.isprintable() for problem in plan.problems)
            await site.rollouts.progress(rollout.id, most=3)
        made = site.document(everyone=True, images=[image.id for image in images])
        prediction = await site.rollouts.choices(made, await site.rollouts.resolve(made))
        assert sum(len(kin.devices) for kin in prediction.kin) == len(prediction.by_device)
    finally:
        await session.stop()
        site.world.close()
