"""What the contract tests of the MiDM provider share: the page's samples, a provider on a scripted or a real net."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mdm_tui.config.connections import Connection
from mdm_tui.providers import factory
from tests.faulty import Answer, Faulty

HERE = Path(__file__).parent
SITE = "0c7a9c55-0f6d-4f0e-9a34-1d2f6a8b7c10"
SECRETS = {"api_key": "key-canary-1", "password": "password-canary-2"}
TOKEN = "token-canary-3"
SIGNED_IN = Answer({"result": True, "code": "S00000", "message": "", "data": {"access_token": TOKEN}})


def sample(name: str) -> Any:
    """A sample of the seed page."""
    return json.loads((HERE / "samples" / "midm" / f"{name}.json").read_text(encoding="utf-8"))


def fine(data: Any = None, **beside: Any) -> Answer:
    """A success in the envelope of /ota."""
    return Answer({"result": True, "code": 0, "message": "", "data": data, **beside})


def refused(code: int | str | None, message: str = "", status: int = 200) -> Answer:
    """A refusal in the envelope."""
    return Answer({"result": False, "code": code, "message": message}, status)


def connect(net: Any, *, secrets: dict[str, Any] | None = None, clock: Any = None, sleep: Any = None, **more: Any):
    """A provider for the site of the examples."""
    fields: dict[str, Any] = {
        "name": "depot",
        "provider": "midm",
        "url": "http://127.0.0.1:9",
        "organization": SITE,
        "email": "ops@example.com",
        "timeout": 5.0,
    }
    given = {key: value for key, value in (("clock", clock), ("sleep", sleep)) if value is not None}
    connection = Connection(**(fields | more))
    return factory("midm").connect(connection, secrets or SECRETS, transport=net, **given)


def signed_in(*answers: Any, **more: Any):
    """A provider whose first call signs in, and the net it is on."""
    net = Faulty().plan(SIGNED_IN, *answers)
    return connect(net, **more), net
