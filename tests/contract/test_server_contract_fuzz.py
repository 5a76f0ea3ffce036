"""A bounded schemathesis run over the embedded server, in process. The long one is `schemathesis_long.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fuzz_server import CHECKS, call_options, schema
from hypothesis import HealthCheck, Phase, settings

from mdm_tui.server.testing import fleet


@pytest.fixture(scope="module")
def implemented() -> Iterator[Any]:
    made = fleet(devices=30)
    yield schema(made)
    made.world.close()


@schemathesis.pytest.from_fixture("implemented").parametrize()
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_conform(case: Any) -> None:
    case.call_and_validate(checks=CHECKS, **call_options())
