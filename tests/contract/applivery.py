"""What the contract tests of the provider share: the contract file, the seed samples, a provider on a scripted net."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from mdm_tui.providers import factory
from tests.faulty import Faulty

HERE = Path(__file__).parent
AOSP = "/organizations/{organizationId}/mdm/aosp/enterprise"
ID = "6710a4e2c93f5b0017de0a11"
OTHER = "6720bd1158a3e9001c7f6644"


@cache
def contract() -> dict[str, Any]:
    """The OpenAPI file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((HERE / "applivery-aosp.openapi.yaml").read_text(encoding="utf-8"), Loader=loader)


def sample(name: str) -> Any:
    """A sample of a seed page."""
    return json.loads((HERE / "samples" / f"{name}.json").read_text(encoding="utf-8"))


def samples() -> list[str]:
    """The names of all of them."""
    return sorted(path.name.removesuffix(".json") for path in (HERE / "samples").glob("*.json"))


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """A schema or response with its `$ref` followed and its `allOf` merged."""
    while "$ref" in node:
        target: Any = contract()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    if "allOf" in node:
        merged: dict[str, Any] = {key: value for key, value in node.items() if key != "allOf"}
        for part in node["allOf"]:
            part = resolve(part)
            properties = part.get("properties", {}) | merged.get("properties", {})
            merged = part | merged | ({"properties": properties} if properties else {})
        return merged
    return node


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """(operation id, operation)."""
    for item in contract()["paths"].values():
        for method, operation in item.items():
            if method in ("get", "post", "put", "delete"):
                yield operation["operationId"], operation


def examples(content: dict[str, Any]) -> list[Any]:
    """The examples of a request or response."""
    found = []
    for media in resolve(content).get("content", {}).values():
        if "example" in media:
            found.append(media["example"])
        found += [item["value"] for item in media.get("examples", {}).values()]
    return found


def answers(operation_id: str) -> list[Any]:
    """The examples of an operation's 200 answer."""
    operation = dict(operations())[operation_id]
    return examples(operation["responses"]["200"])


def connect(net: Faulty, *, token: str = "token-canary", **more: Any):
    """A provider for the organisation of the examples."""
    fields: dict[str, Any] = {
        "url": "http://127.0.0.1:9/v1",
        "organization": "65f1c2a94be07d0012ab34cd",
        "timeout": 5.0,
        "read_only": False,
        "ca_file": "",
        "budget": 10_000,
    }
    settings = SimpleNamespace(**(fields | more))
    return factory("applivery").connect(settings, {"token": token}, transport=net)
