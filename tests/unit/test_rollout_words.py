"""When a rollout is applied, in sentences."""

from __future__ import annotations

from mdm_tui.fleet.rollout_words import schedule, waiting
from mdm_tui.fleet.rollouts import Rollout


def test_the_schedule_is_one_sentence_and_the_services_words_are_in_quotes() -> None:
    options = {"start_on": "2026-11-27", "repeat_option": "repeat", "repeat_every": 1, "repeat_period": "week"}
    assert schedule(Rollout("r", "R", options=options)) == "starts 2026-11-27, repeats “repeat”, every 1 week"
    options = {"time_option": "night", "ends": "2027", "ends_option": "on"}
    assert schedule(Rollout("r", "R", options=options)) == "time of day “night”, ends 2027 “on”"
    assert schedule(Rollout("r", "R")) == ""


def test_what_a_device_may_wait_for_is_what_the_rollout_says() -> None:
    options = {"need_ac": True, "while_sleeping": False, "while_offline": True, "starts_on": "later"}
    assert waiting(Rollout("r", "R", options=options)).startswith(
        "A device that waits may wait for its start (later), mains power, being awake, or to report;"
    )
    assert "states no condition" in waiting(Rollout("r", "R", options={"need_ac": False}))
    assert "disabled" in waiting(Rollout("r", "R", enabled=False, options=options))
