"""The long schemathesis run: every implemented operation, right and wrong input, many examples.

Run by its name (pytest does not collect it by itself):
`python -m pytest tests/contract/schemathesis_long.py`. `MDM_TUI_EXAMPLES` sets the examples per operation (500).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fuzz_server import CHECKS, call_options, midm_call_options, midm_schema, schema
from hypothesis import HealthCheck, settings

from mdm_tui.server.testing import fleet

EXAMPLES = int(os.environ.get("MDM_TUI_EXAMPLES", "500"))
LONG = settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))


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
@LONG
def test_answers_conform(case: Any) -> None:
    case.call_and_validate(checks=CHECKS, **call_options())


@schemathesis.pytest.from_fixture("implemented_midm").parametrize()
@LONG
def test_midm_answers_conform(case: Any) -> None:
    case.call_and_validate(checks=CHECKS, **midm_call_options(case))
