"""What a service holds ready for devices: apps and system images that were uploaded, and license models."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CatalogueApp", "Image", "LicenseModel"]


@dataclass(frozen=True, slots=True)
class CatalogueApp:
    """An app that rollouts can install. size: bytes. Times in epoch seconds. SDK levels are text, as services say them.

    refs: every id by which a rollout may name it, the one to write first (`id`). raw: the JSON text.
    """

    id: str
    name: str
    package: str = ""
    version: str = ""
    version_code: int | None = None
    size: int | None = None
    min_sdk: str = ""
    target_sdk: str = ""
    max_sdk: str = ""
    enabled: bool | None = None
    file_name: str = ""
    updated_at: float | None = None
    created_at: float | None = None
    refs: tuple[str, ...] = ()
    raw: str = "{}"
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A system image. size: bytes. built_at and other times in epoch seconds.

    part: what it replaces, "base" or "region" where the service says so, else its own word. ab: for A/B partitions,
    None when not said. from_build: the build a partial image starts from, "" for a full one. build: the build it
    leads to. product: the hardware it is made for; device: its code name. patch: security patch level.
    refs: every id by which a rollout may name it, the one to write first (`id`).
    """

    id: str
    name: str
    product: str = ""
    device: str = ""
    brand: str = ""
    sku: str = ""
    part: str = ""
    ab: bool | None = None
    from_build: str = ""
    build: str = ""
    display: str = ""
    os: str = ""
    sdk: int | None = None
    patch: str = ""
    size: int | None = None
    built_at: float | None = None
    enabled: bool | None = None
    file_name: str = ""
    updated_at: float | None = None
    created_at: float | None = None
    refs: tuple[str, ...] = ()
    raw: str = "{}"
    unreadable: str = ""

    @property
    def partial(self) -> bool:
        """Whether it only brings one build to another."""
        return bool(self.from_build)


@dataclass(frozen=True, slots=True)
class LicenseModel:
    """A kind of license that a registration can draw a free one from."""

    id: str
    name: str
