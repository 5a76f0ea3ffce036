"""What is being sent now, and what a person is told before it is left alone."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Sending"]


@dataclass(frozen=True, slots=True)
class Sending:
    """runs: of commands. registrations: of devices. False when there is neither."""

    runs: int = 0
    registrations: int = 0

    def __bool__(self) -> bool:
        return self.total > 0

    @property
    def total(self) -> int:
        return self.runs + self.registrations

    @property
    def what(self) -> str:
        """For a question's title: what is happening."""
        both = (
            "commands are being sent" if self.runs else "",
            "devices are being registered" * bool(self.registrations),
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
        return " ".join((*said, "Nothing is sent twice."))


def _many(count: int, noun: str) -> str:
    return f"A {noun} is" if count == 1 else f"{count} {noun}s are"
