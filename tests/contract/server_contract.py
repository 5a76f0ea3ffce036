"""The contract as a judge of answers: which operation a call was, and whether the answer fits it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

CONTRACT = Path(__file__).with_name("applivery-aosp.openapi.yaml")
METHODS = ("get", "put", "post", "delete")


@cache
def document() -> dict[str, Any]:
    return yaml.safe_load(CONTRACT.read_text("utf-8"))


@cache
def _registry() -> Registry:
    return Registry().with_resource("urn:contract", Resource.from_contents(document(), DRAFT202012))


def validator(pointer: str) -> Draft202012Validator:
    """A validator for the schema at a JSON pointer within the contract."""
    return Draft202012Validator({"$ref": f"urn:contract#{pointer}"}, registry=_registry())


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """(METHOD, path template) → operation."""
    return {
        (method.upper(), path): item[method]
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    }


def operation_of(method: str, path: str) -> tuple[str, str]:
    """The operation a call means; literal paths win over templates. Path without the base."""
    found = [
        (key_method, template)
        for key_method, template in operations()
        if key_method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    assert found, f"{method} {path} is not in the contract"
    return min(found, key=lambda key: key[1].count("{"))


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def faults(method: str, path: str, status: int, content_type: str, body: Any) -> list[str]:
    """What the contract has against an answer."""
    key = operation_of(method, path)
    responses = operations()[key]["responses"]
    code = str(status) if str(status) in responses else "default"
    pointer = f"/paths/{_escape(key[1])}/{key[0].lower()}/responses/{code}"
    response = responses[code]
    if "$ref" in response:
        pointer = response["$ref"][1:]
        response = document()["components"]["responses"][pointer.rsplit("/", 1)[1]]
    if content_type not in response["content"]:
        return [f"content type {content_type}"]
    judge = validator(f"{pointer}/content/{_escape(content_type)}/schema")
    return [f"{error.json_path}: {error.message[:200]}" for error in judge.iter_errors(body)]


def leaves(schema: dict[str, Any], path: str = "", depth: int = 0) -> set[str]:
    """Paths of all leaves of a schema; list items are written as []."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return leaves(document()["components"]["schemas"][name], path, depth)
    found: set[str] = set()
    for part in schema.get("allOf", ()):
        found |= leaves(part, path, depth)
    for name, child in schema.get("properties", {}).items():
        found |= leaves(child, f"{path}.{name}" if path else name, depth + 1)
    if "items" in schema:
        found |= leaves(schema["items"], f"{path}[]", depth + 1)
    return found or {path}


def leaves_of(value: Any, path: str = "") -> set[str]:
    """Paths of all leaves of a value, written as in `leaves`; every inner path is in it too."""
    found = {path}
    if isinstance(value, dict):
        for name, child in value.items():
            found |= leaves_of(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for child in value:
            found |= leaves_of(child, f"{path}[]")
    return found
