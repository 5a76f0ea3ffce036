"""What a rollout says about when it is applied, in sentences. Pure."""

from __future__ import annotations

from typing import Any, Final

from .rollouts import REPEATS, STARTS, Rollout, said, switch
from .text import clean

__all__ = ["schedule", "waiting"]

# Neutral keys of conditions whose meaning is known.
_MAINS, _ASLEEP, _OFFLINE, _TIME, _VIA = "need_ac", "while_sleeping", "while_offline", "time_option", "update_via"
_ENDS, _END_KIND = "ends", "ends_option"
_NO_WORDS: Final = (None, "")


def _text(rollout: Rollout, key: str) -> str:
    value: Any = said(rollout.options, key)
    return "" if value in _NO_WORDS or isinstance(value, bool) else clean(value, 60)


def _start(rollout: Rollout) -> str:
    return next((text for key in STARTS if (text := _text(rollout, key))), "")


def schedule(rollout: Rollout) -> str:
    """When it starts, repeats and ends, as its document says; words of the service are in quotes. "" for nothing."""
    option, every, period = (_text(rollout, key) for key in REPEATS)
    often = " ".join(filter(None, (f"every {every}" if every else "every" if period else "", period)))
    repeats = ", ".join(filter(None, (f"“{option}”" if option else "", often)))
    kind, ends = _text(rollout, _END_KIND), _text(rollout, _ENDS)
    end = " ".join(filter(None, (ends, f"“{kind}”" if kind else "")))
    time = _text(rollout, _TIME)
    parts = (
        f"starts {_start(rollout)}" if _start(rollout) else "",
        f"time of day “{time}”" if time else "",
        f"repeats {repeats}" if repeats else "",
        f"ends {end}" if end else "",
    )
    return ", ".join(filter(None, parts))


def waiting(rollout: Rollout) -> str:
    """What a device that has not applied it may wait for, as far as the rollout says."""
    if rollout.enabled is False:
        return "It is disabled: nothing is installed until it is enabled"
    start, time, via = _start(rollout), _text(rollout, _TIME), _text(rollout, _VIA)
    conditions = [
        words
        for words in (
            f"its start ({start})" if start else "",
            f"the time of day (“{time}”)" if time else "",
            "mains power" if switch(rollout.options, _MAINS) else "",
            "being awake" if switch(rollout.options, _ASLEEP) is False else "",
            "being online" if switch(rollout.options, _OFFLINE) is False else "",
            f"a connection (“{via}”)" if via else "",
        )
        if words
    ]
    if not conditions:
        return "The rollout states no condition: a device that waits may be off, out of reach or not have reported yet"
    return f"A device that waits may wait for {', '.join(conditions)}, or to report; the service does not say which"
