"""The services of a session, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mdm_tui.fleet.provider import Capability

from .context import Context

if TYPE_CHECKING:
    from .catalogue import Catalogue
    from .commands import Commands
    from .devices import Devices
    from .groups import Groups
    from .overview import Overview
    from .policies import Policies
    from .registration import RegistrationService
    from .rollouts import Rollouts

__all__ = ["Services"]


class Services:
    """The first frame needs none of them, and importing them takes its time."""

    def __init__(self) -> None:
        self._overview: Overview | None = None
        self._devices: Devices | None = None
        self._commands: Commands | None = None
        self._policies: Policies | None = None
        self._groups: Groups | None = None
        self._catalogue: Catalogue | None = None
        self._registration: RegistrationService | None = None
        self._rollouts: Rollouts | None = None

    @property
    def context(self) -> Context:
        """What the services share."""
        raise NotImplementedError

    def _on_screen(self) -> Collection[str]:
        raise NotImplementedError

    def _looked_at(self) -> bool:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    @property
    def overview(self) -> Overview:
        if self._overview is None:
            from .overview import Overview

            reads = {
                Capability.POLICIES: lambda: self.policies.refresh(),
                Capability.APPS: lambda: self.catalogue.refresh_apps(),
                Capability.IMAGES: lambda: self.catalogue.refresh_images(),
                Capability.ROLLOUTS: lambda: self.rollouts.refresh(),
            }
            self._overview = Overview(self.context, reads, looked_at=self._looked_at)
        return self._overview

    @property
    def devices(self) -> Devices:
        if self._devices is None:
            from .devices import Devices

            self._devices = Devices(self.context)
        return self._devices

    @property
    def commands(self) -> Commands:
        if self._commands is None:
            from .commands import Commands

            self._commands = Commands(self.context, on_screen=self._on_screen)
        return self._commands

    @property
    def policies(self) -> Policies:
        if self._policies is None:
            from .policies import Policies

            self._policies = Policies(self.context, self.devices)
        return self._policies

    @property
    def groups(self) -> Groups:
        if self._groups is None:
            from .groups import Groups

            self._groups = Groups(self.context, looked_at=self._looked_at, answers=self._answers)
        return self._groups

    @property
    def catalogue(self) -> Catalogue:
        if self._catalogue is None:
            from .catalogue import Catalogue

            self._catalogue = Catalogue(self.context)
        return self._catalogue

    @property
    def registration(self) -> RegistrationService:
        if self._registration is None:
            from .registration import RegistrationService

            self._registration = RegistrationService(self.context, self.groups)
        return self._registration

    @property
    def registering(self) -> bool:
        """Whether a registration is being sent now; makes no service for the answer."""
        return self._registration is not None and bool(self._registration.running)

    @property
    def rollouts(self) -> Rollouts:
        """Raises `FleetError` UNSUPPORTED where the service has none: ask `can(Capability.ROLLOUTS)` first."""
        if self._rollouts is None:
            from .rollouts import Rollouts

            self._rollouts = Rollouts(self.context, self.groups, self.catalogue)
        return self._rollouts
