"""What is being sent now, and what a person is told before it is left alone."""

from __future__ import annotations

from dataclasses import dataclass

from mdm_tui.fleet.provider import Capability

__all__ = ["Sending", "change_of"]

_CHANGES = {
    Capability.DEVICE_EDIT: "the change of a device",
    Capability.POLICY_EDIT: "the change of a policy",
    Capability.GROUP_EDIT: "the change of a group",
    Capability.GROUP_DELETE: "the deletion of a group",
    Capability.ROLLOUT_EDIT: "the change of a rollout",
    Capability.COMMAND_CANCEL: "the cancelling of a command",
}


def change_of(capability: Capability | None) -> str:
    """What is changed by means of a capability."""
    return _CHANGES.get(capability, "a change") if capability is not None else "a change"


@dataclass(frozen=True, slots=True)
class Sending:
    """runs: of commands. registrations: of devices. changes: single ones that wait for their answer, in words.

    questions: that wait for a person. False when there is none of these.
    """

    runs: int = 0
    registrations: int = 0
    changes: tuple[str, ...] = ()
    questions: int = 0

    def __bool__(self) -> bool:
        return self.total > 0 or self.questions > 0

    @property
    def total(self) -> int:
        return self.runs + self.registrations + len(self.changes)

    @property
    def what(self) -> str:
        """For a question's title: what is happening."""
        both = (
            "commands are being sent" if self.runs else "",
            "devices are being registered" * bool(self.registrations),
            f"{self.changes[0]} is on the wire" if self.changes else "",
            "a question waits for your answer" if self.questions and not self.total else "",
        )
        return " and ".join(filter(None, both))

    def words(self, *, quitting: bool) -> str:
        """What becomes of it. quitting: the console ends, and another session comes after this one."""
        said: list[str] = []
        if self.runs:
            later = ": the Queue (3) of the next session offers to send it, c on it" if quitting else ""
            said.append(
                f"{_many(self.runs, 'run')} being sent now, and stops after the command that is on its way. What is "
                f"not sent by then stays in the journal{later}."
            )
        if self.registrations:
            said.append(
                f"{_many(self.registrations, 'registration')} being sent now, and stops after the device that is on "
                "its way. What is not sent by then is not sent later either: register those devices again if that is "
                "still wanted."
            )
        if self.changes:
            said.append(
                f"{', '.join(self.changes)}: sent and not answered yet, so the service may do it whatever happens "
                "here. The answer is waited for up to 3 seconds, and what came of it is told."
            )
        if self.questions:
            said.append("What waits for your answer is dropped: nothing of it is sent.")
        return " ".join((*said, "Nothing is sent twice."))


def _many(count: int, noun: str) -> str:
    return f"A {noun} is" if count == 1 else f"{count} {noun}s are"
