"""What each folder of tests may cost, in seconds of processor time, so that `make test` stays under ten minutes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Processor time and not the clock's: a machine that is busy with something else breaks no budget. Together they
# are what two processors have in ten minutes, less what starting takes.
BUDGETS = {
    "unit": 120.0,
    "contract": 200.0,
    "store": 60.0,
    "services": 160.0,
    "server": 100.0,
    "tui": 300.0,
    "hostile": 60.0,
    "crash": 60.0,
}
ROOT = Path(__file__).parent
_spent = pytest.StashKey["Counter[str]"]()


def _used() -> float:
    """Seconds of processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def over(spent: dict[str, float]) -> list[str]:
    """A sentence for each folder that spent more than its budget."""
    return [
        f"tests/{folder} took {seconds:.0f} s of processor time, its budget is {BUDGETS[folder]:.0f}"
        for folder, seconds in sorted(spent.items())
        if seconds > BUDGETS.get(folder, float("inf"))
    ]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_spent] = Counter()
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Workers(config), "budgets of workers")


class _Workers:
    """Takes what the processes of pytest-xdist have spent."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        self.config.stash[_spent].update(getattr(node, "workeroutput", {}).get("spent", {}))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    before = _used()
    try:
        return (yield)
    finally:
        if ROOT in item.path.parents:
            item.config.stash[_spent][item.path.relative_to(ROOT).parts[0]] += _used() - before  # type: ignore[assignment]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    spent = session.config.stash[_spent]
    worker = getattr(session.config, "workeroutput", None)
    if worker is not None:
        worker["spent"] = dict(spent)
    elif over(dict(spent)) and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    spent = dict(config.stash[_spent])
    if spent:
        said = ", ".join(f"{folder} {seconds:.0f}" for folder, seconds in sorted(spent.items()))
        terminalreporter.write_line(f"processor seconds by folder: {said}")
    for sentence in over(spent):
        terminalreporter.write_line(sentence, red=True)
