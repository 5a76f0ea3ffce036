"""MiDM's answers as they may really come: unknown fields kept, null anywhere, switches in quotes, numbers as text.

Only what the console reads by name is declared. A field of a wrong type becomes None and never costs its row; a row
fails only when it is no object or has no id. Source: the contract's schemas of the same names.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mdm_tui.fleet.errors import Kind
from mdm_tui.fleet.values import whole, words
from mdm_tui.providers.body import BodyError
from mdm_tui.providers.rows import Identity, Row, Table, Text, Whole

from .values import flag, moment

__all__ = ["AppInfo", "AppState", "CatalogueApp", "Device", "Group", "Image", "ImageInfo", "License", "Listing",
           "Saved", "data", "flag_data", "installed", "listing"]  # fmt: skip


Flag = Annotated[bool | None, BeforeValidator(flag)]
Moment = Annotated[float | None, BeforeValidator(moment)]


class Device(Row):
    """A device; its report is read from the raw object by `report.py`."""

    id: Identity = Field(alias="uuid")


class Group(Row):
    """A group. A parent that is null, missing or empty is none."""

    id: Identity = Field(alias="uuid")
    parent: Text = Field(None, alias="parentUuid")
    devices: Whole = Field(None, alias="deviceNumbers")
    profile: Table = {}
    enabled: Flag = None
    created: Moment = None
    updated: Moment = None


class AppInfo(Row):
    """An app, on a device or in the store. Sizes in bytes."""

    package: Text = Field(None, alias="packageName")
    label: Text = None
    version_code: Whole = Field(None, alias="versionCode")
    version: Text = Field(None, alias="versionName")
    min_sdk: Text = Field(None, alias="minSdkVersion")
    target_sdk: Text = Field(None, alias="targetSdkVersion")
    max_sdk: Text = Field(None, alias="maxSdkVersion")
    size: Whole = Field(None, alias="appSize")
    data: Whole = Field(None, alias="dataSize")
    installed: Moment = Field(None, alias="firstInstalled")
    updated: Moment = Field(None, alias="lastUpdated")


class AppState(Row):
    """Whether one app is on a device."""

    package: Text = Field(None, alias="packageName")
    version_code: Whole = Field(None, alias="versionCode")
    installed: Flag = None


class _Upload(Row):
    uuid: Text = None
    file: Text = Field(None, alias="fileUuid")
    file_info: Table = Field({}, alias="fileInfo")
    name: Text = None
    enable: Flag = None
    enabled: Flag = None
    updated: Moment = Field(None, alias="lastUpdated")
    created: Moment = Field(None, alias="registeredAt")

    @property
    def refs(self) -> tuple[str, ...]:
        """The ids by which a rollout may name it, the one to write first; the page has `fileUuid` alone."""
        return tuple(dict.fromkeys(part for part in (self.uuid, self.file) if part and len(part) <= 128))

    @property
    def on(self) -> bool | None:
        """Whether it may be used; spelt `enable` here and `enabled` everywhere else."""
        return self.enabled if self.enable is None else self.enable

    @property
    def size(self) -> int | None:
        """Bytes of the file."""
        return whole(self.file_info.get("length"))

    @property
    def file_name(self) -> str:
        """The name of the file that was uploaded."""
        return words(self.file_info.get("fileName")) or ""


class CatalogueApp(_Upload):
    """An app in the store of the site."""

    info: Table = Field({}, alias="appInfo")


class ImageInfo(Row):
    """What an image is made for."""

    type: Text = None
    ab: Flag = Field(None, alias="abUpdate")
    device: Text = Field(None, alias="deviceId")
    product: Text = Field(None, alias="productId")
    sku: Text = Field(None, alias="skuId")
    built: Moment = Field(None, alias="buildDate")
    display: Text = Field(None, alias="displayId")
    os: Text = Field(None, alias="osVersion")
    sdk: Whole = None
    from_build: Text = Field(None, alias="preBuild")
    build: Text = Field(None, alias="postBuild")
    brand: Text = None
    # Spelt so; presumably the security patch level.
    patch: Text = Field(None, alias="securityPath")


class Image(_Upload):
    """A system image in the store of the site."""

    info: Table = Field({}, alias="otaInfo")


class License(Row):
    """A license model."""

    id: Identity = Field(alias="uuid")
    name: Text = None


class Saved(Row):
    """What saving a profile answers; `updated` is a number here and text elsewhere."""

    id: Identity = Field(alias="uuid")
    name: Text = None
    updated: Moment = None


class Listing(Row):
    """A page: the rows and what the service says about paging, any of it missing."""

    rows: list[Any]
    pages: Whole = Field(None, alias="totalPage")
    size: Whole = None
    total: Whole = Field(None, alias="totalSize")


def data(document: Any) -> dict[str, Any]:
    """The object in `data`; raises `BodyError`."""
    found = document.get("data") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise BodyError(Kind.UNREADABLE, "sent an answer without an object in it")
    return found


def flag_data(document: Any) -> bool:
    """The yes or no in `data`; raises `BodyError`: what cannot be read is never a no."""
    found = flag(document.get("data")) if isinstance(document, dict) else None
    if found is None:
        raise BodyError(Kind.UNREADABLE, "answered neither yes nor no")
    return found


def listing(document: Any) -> Listing:
    """The page of an answer; raises `BodyError` when there is no list. No rows at all may come as null."""
    rows = document.get("data") if isinstance(document, dict) else None
    if rows is None and isinstance(document, dict) and "data" in document:
        rows = []
    if not isinstance(rows, list):
        raise BodyError(Kind.UNREADABLE, "sent an answer without a list in it")
    return Listing.model_validate({**document, "rows": rows})


def installed(document: Any) -> list[tuple[Any, Any]]:
    """The apps of a device, each with when it was reported, as sent. Raises `BodyError`.

    The page shows one object, an older console reads a list. Several reports, one for each category, are read as one
    list.
    """
    found = document.get("data") if isinstance(document, dict) else None
    several = found if isinstance(found, list) else [found]
    reports = [report for report in several if isinstance(report, dict)]
    if len(reports) < len(several):
        raise BodyError(Kind.UNREADABLE, "sent an answer without an object in it")
    rows: list[tuple[Any, Any]] = []
    for report in reports:
        apps = report.get("apps")
        if not isinstance(apps, list | dict | None):
            # Read as none it would say of every app that it is not there.
            raise BodyError(Kind.UNREADABLE, "sent apps that are neither an object nor a list")
        own = apps if isinstance(apps, list) else [apps] if isinstance(apps, dict) and apps else []
        rows += [(app, report.get("reported")) for app in own]
    return rows
