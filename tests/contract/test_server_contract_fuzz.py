"""A bounded schemathesis run over the embedded server, in process. The long one is `schemathesis_long.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fuzz_server import CHECKS, call_options, midm_call_options, midm_schema, schema
from hypothesis import HealthCheck, Phase, settings

from mdm_tui.server.testing import fleet

BOUNDED = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def implemented() -> Iterator[Any]:
    made = fleet(devices=30)
    yield schema(made)
    made.world.close()


@pytest.fixture(scope="module")
def implemented_midm() -> Iterator[Any]:
    made = fleet(devices=30)
    yield midm_schema(made)
    made.world.close()


@schemathesis.pytest.from_fixture("implemented").parametrize()
@BOUNDED
def test_answers_conform(case: Any) -> None:
    case.call_and_validate(checks=CHECKS, **call_options())


@schemathesis.pytest.from_fixture("implemented_midm").parametrize()
@BOUNDED
def test_midm_answers_conform(case: Any) -> None:
    case.call_and_validate(checks=CHECKS, **midm_call_options(case))
