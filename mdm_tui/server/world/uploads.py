"""What was uploaded to the site: applications and system images; and its license models. Small, read often."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import NotThere

if TYPE_CHECKING:
    from .world import World

TRIAL = "Trial"

PACKAGE_COLUMNS = (
    "uuid, file_uuid, name, package, label, version_code, version_name, min_sdk, target_sdk, max_sdk, cert_md5, "
    "size, data, file_name, enabled, created_at, updated_at"
)
IMAGE_COLUMNS = "uuid, file_uuid, name, info, size, file_name, enabled, created_at, updated_at"


@dataclass(frozen=True, slots=True)
class PackageRecord:
    """One version of an uploaded application. size and data: bytes; times: milliseconds."""

    uuid: str
    file_uuid: str
    name: str
    package: str
    label: str
    version_code: int
    version_name: str
    min_sdk: int
    target_sdk: int
    max_sdk: int | None
    cert_md5: str
    size: int
    data: int
    file_name: str
    enabled: bool
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One system image. info: the facts read from the file, by the names of `otaInfo`; buildDate in milliseconds."""

    uuid: str
    file_uuid: str
    name: str
    info: Mapping[str, Any]
    size: int
    file_name: str
    enabled: bool
    created_at: int
    updated_at: int

    @property
    def part(self) -> str:
        """What it replaces: `base` or `region`."""
        return str(self.info.get("type", ""))

    @property
    def product(self) -> str:
        """The hardware it is made for."""
        return str(self.info.get("productId", ""))

    @property
    def ab(self) -> bool:
        """Whether it is packed for two sets of partitions."""
        return bool(self.info.get("abUpdate"))

    @property
    def from_build(self) -> str:
        """Where a partial image starts; empty for a full one."""
        return str(self.info.get("preBuild", ""))

    @property
    def build(self) -> str:
        """Where it leads."""
        return str(self.info.get("postBuild", ""))

    @property
    def built_at(self) -> int:
        """When it was built, in milliseconds."""
        return int(self.info.get("buildDate", 0))


@dataclass(frozen=True, slots=True)
class LicenseRecord:
    """A license model: how many there are and how many are taken."""

    uuid: str
    name: str
    total: int
    used: int

    @property
    def free(self) -> int:
        """How many licenses can still be taken."""
        return max(0, self.total - self.used)


def _switched(row: tuple[Any, ...], switch: int, document: int | None = None) -> list[Any]:
    """A row with its switch as a boolean and its JSON text read."""
    values = list(row)
    values[switch] = bool(values[switch])
    if document is not None:
        values[document] = json.loads(values[document])
    return values


class PackageBook:
    """Uploaded applications, several versions of each."""

    def __init__(self, world: World) -> None:
        rows = world.database.all(f"SELECT {PACKAGE_COLUMNS} FROM package ORDER BY rowid")
        self._all = [PackageRecord(*_switched(row, 14)) for row in rows]
        self._by = {ref: record for record in self._all for ref in (record.file_uuid, record.uuid)}

    def all(self) -> list[PackageRecord]:
        """Every version, in the order of uploading."""
        return list(self._all)

    def get(self, ref: str) -> PackageRecord:
        """By uuid or file uuid. Raises NotThere."""
        if (found := self._by.get(ref.lower())) is None:
            raise NotThere("app", ref)
        return found


class ImageBook:
    """Uploaded system images."""

    def __init__(self, world: World) -> None:
        rows = world.database.all(f"SELECT {IMAGE_COLUMNS} FROM image ORDER BY rowid")
        self._all = [ImageRecord(*_switched(row, 6, 3)) for row in rows]
        self._by = {ref: record for record in self._all for ref in (record.file_uuid, record.uuid)}

    def all(self) -> list[ImageRecord]:
        """Every image, in the order of uploading."""
        return list(self._all)

    def get(self, ref: str) -> ImageRecord:
        """By uuid or file uuid. Raises NotThere."""
        if (found := self._by.get(ref.lower())) is None:
            raise NotThere("image", ref)
        return found


class LicenseBook:
    """License models with a limited number of licenses each."""

    def __init__(self, world: World) -> None:
        self._db = world.database

    def all(self) -> list[LicenseRecord]:
        """Every license model."""
        return [
            LicenseRecord(*row) for row in self._db.all("SELECT uuid, name, total, used FROM license ORDER BY rowid")
        ]

    def get(self, uuid: str) -> LicenseRecord:
        """Raises NotThere."""
        row = self._db.one("SELECT uuid, name, total, used FROM license WHERE uuid = ?", (uuid.lower(),))
        if row is None:
            raise NotThere("license model", uuid)
        return LicenseRecord(*row)

    def take(self, uuid: str | None) -> tuple[str, str | None]:
        """(name, uuid) of the license that a unit gets: a free one of the model, else a trial license."""
        if uuid is None or not (model := self.get(uuid)).free:
            return TRIAL, None
        self._db.run("UPDATE license SET used = used + 1 WHERE uuid = ?", (model.uuid,))
        return model.name, model.uuid

    def give_back(self, uuid: str | None) -> None:
        """A unit does not need its license any more."""
        self._db.run("UPDATE license SET used = max(0, used - 1) WHERE uuid = ?", (uuid,))
