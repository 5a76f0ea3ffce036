"""What the app does about its own faults: a short message and a redacted report, never local variables."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mdm_tui.fleet.errors import FleetError
from mdm_tui.tui import crash, safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App

    from mdm_tui.services.session import Session

    _Base = App[int]
else:
    _Base = object

__all__ = ["Failing"]


class Failing(_Base):
    """The app's way to fail. Mixed into `MdmApp`, which has the state."""

    if TYPE_CHECKING:
        sessions: dict[str, Session]
        known: dict[str, Any]
        _past: list[Any]
        env: Mapping[str, str]
        paths: Any
        crash_message: str

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A task of a service that nobody awaited: kept in a report, and the console goes on.
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, FleetError):
            report = crash.write_report(error, self.paths.state, self.secrets())
            where = f" A report is in {report}." if report else ""
            safe.toast(self, "", f"Something in the console went wrong and was left out.{where}", "error")

    def secrets(self) -> list[str]:
        """What must never be in a report."""
        from mdm_tui.config.connections import SECRETS
        from mdm_tui.config.credentials import GENERAL

        found = [self.env.get(name, "") for name in GENERAL.values()]
        for connection in self.known.values():
            # Open or not: what a connection names for a secret is one.
            named = (getattr(connection, f"{name}_env", "") for name in SECRETS)
            found.extend(self.env.get(variable, "") for variable in named if variable)
        found.extend(text for session in self.sessions.values() for text in session.hidden)
        found.extend(secret.reveal() for secret in self._past)
        return [secret for secret in found if secret]

    def _handle_exception(self, error: Exception) -> None:
        # Textual would render the error with its local variables; see crash.py.
        if self._exit:
            # On its way out already, perhaps before its first screen stood: what breaks now is part of ending.
            self._close_messages_no_wait()
            return
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            report = crash.write_report(error, self.paths.state, self.secrets())
            self.crash_message = crash.message(error, report, self.secrets())
        self._close_messages_no_wait()
