"""The catalogue: all of it where the service lists all, else page by page; found ones beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.errors import FleetError, Kind
from mdm_tui.fleet.provider import Capability
from mdm_tui.services.catalogue import Catalogue
from mdm_tui.services.context import Context
from mdm_tui.services.events import ItemsChanged
from mdm_tui.services.hub import Hub
from mdm_tui.store.mirror import Mirror

from .conftest import connection
from .site import SiteProvider
from .virtual import VirtualClock

LACK = FleetError(Kind.UNSUPPORTED, "This service has no list of all", status=404)


@pytest.fixture
def site() -> SiteProvider:
    made = SiteProvider()
    made.uploads = [CatalogueApp(f"a{number}", f"App {number}", f"com.example.a{number}") for number in range(5)]
    made.images_held = [Image(f"i{number}", f"Image {number}") for number in range(3)]
    return made


@pytest.fixture
async def context(tmp_path: Path, clock: VirtualClock, site: SiteProvider) -> AsyncIterator[Context]:
    mirror = Mirror.open(tmp_path / "mirror.db", clock=clock.now)

    async def connect() -> SiteProvider:
        return site

    made = connection(page_size=2)
    yield Context(made, factory=site, mirror=mirror, hub=Hub(clock), clock=clock, connect=connect)
    mirror.close()


@pytest.fixture
def catalogue(context: Context) -> Catalogue:
    return Catalogue(context)


async def test_all_comes_in_one_request_and_stays(catalogue: Catalogue, context: Context, site: SiteProvider) -> None:
    listening = context.hub.subscribe()
    assert await catalogue.refresh_apps() == site.uploads
    assert await catalogue.refresh_images() == site.images_held
    assert [call[0] for call in site.calls] == ["apps", "images"]
    assert listening.take() == [
        ItemsChanged(context.scope, "apps", frozenset({"a0", "a1", "a2", "a3", "a4"})),
        ItemsChanged(context.scope, "images", frozenset({"i0", "i1", "i2"})),
    ]
    assert await Catalogue(context).apps() == site.uploads
    assert len(site.calls) == 2


async def test_what_is_gone_goes(catalogue: Catalogue, site: SiteProvider) -> None:
    await catalogue.refresh_apps()
    del site.uploads[1]
    assert [app.id for app in await catalogue.refresh_apps()] == ["a0", "a2", "a3", "a4"]


@pytest.mark.parametrize("lack", [LACK, FleetError(Kind.NOT_FOUND, "There is no such path", status=404)])
async def test_a_service_without_the_list_of_all_is_read_page_by_page(
    catalogue: Catalogue, context: Context, site: SiteProvider, lack: FleetError
) -> None:
    site.plan_failures("apps", lack)
    assert await catalogue.refresh_apps() == site.uploads
    assert site.count("find_apps") == 3
    assert context.can(Capability.APPS), "only the one path is missing"
    site.plan_failures("images", lack)
    assert await catalogue.refresh_images() == site.images_held


async def test_pages_that_do_not_fit_take_nothing_away(catalogue: Catalogue, site: SiteProvider) -> None:
    await catalogue.refresh_apps()
    site.plan_failures("apps", LACK)
    del site.uploads[2:]
    site.lie = [5]
    assert len(await catalogue.refresh_apps()) == 5
    assert "says 5 and listed 2" in catalogue.notes["apps"]
    await catalogue.refresh_apps()
    assert "apps" not in catalogue.notes


async def test_neither_is_an_error_that_is_kept_until_it_works(
    catalogue: Catalogue, context: Context, site: SiteProvider
) -> None:
    site.plan_failures("apps", LACK)
    site.plan_failures("find_apps", LACK)
    with pytest.raises(FleetError):
        await catalogue.refresh_apps()
    assert catalogue.errors["apps"].kind is Kind.UNSUPPORTED
    assert not context.can(Capability.APPS)
    assert await catalogue.refresh_apps()
    assert "apps" not in catalogue.errors


async def test_a_failure_keeps_what_is_held(catalogue: Catalogue, site: SiteProvider) -> None:
    await catalogue.refresh_images()
    site.plan_failures("images", FleetError(Kind.SERVER, "The service failed", status=500))
    with pytest.raises(FleetError):
        await catalogue.refresh_images()
    assert site.count("find_images") == 0, "a failing service is not asked more"
    assert len(await catalogue.images()) == 3


async def test_found_ones_are_kept_beside_the_others(catalogue: Catalogue, site: SiteProvider) -> None:
    page = await catalogue.find_apps({"name": "App 3"})
    assert ([app.id for app in page.items], page.total, page.has_next) == (["a3"], 1, False)
    assert [app.id for app in await catalogue.apps()] == ["a3"]
    page = await catalogue.find_apps(page=2, limit=3)
    assert [app.id for app in page.items] == ["a3", "a4"]
    assert len((await catalogue.find_images(page=1)).items) == 2, "the connection's page size"
