"""The contract as a judge of answers: which operation a call was, and whether the answer fits it."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

METHODS = ("get", "put", "post", "delete")


class Contract:
    """One OpenAPI file."""

    def __init__(self, name: str) -> None:
        self._path = Path(__file__).with_name(name)

    @cached_property
    def document(self) -> dict[str, Any]:
        return yaml.safe_load(self._path.read_text("utf-8"))

    @cached_property
    def _registry(self) -> Registry:
        return Registry().with_resource("urn:contract", Resource.from_contents(self.document, DRAFT202012))

    def validator(self, pointer: str) -> Draft202012Validator:
        """A validator for the schema at a JSON pointer within the contract."""
        return Draft202012Validator({"$ref": f"urn:contract#{pointer}"}, registry=self._registry)

    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(METHOD, path template) → operation."""
        return {
            (method.upper(), path): item[method]
            for path, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        }

    def operation_of(self, method: str, path: str) -> tuple[str, str]:
        """The operation a call means; literal paths win over templates. Path without the base."""
        found = [
            (key_method, template)
            for key_method, template in self.operations()
            if key_method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        ]
        assert found, f"{method} {path} is not in the contract"
        return min(found, key=lambda key: key[1].count("{"))

    def faults(self, method: str, path: str, status: int, content_type: str, body: Any) -> list[str]:
        """What the contract has against an answer."""
        key = self.operation_of(method, path)
        responses = self.operations()[key]["responses"]
        code = str(status) if str(status) in responses else "default"
        pointer = f"/paths/{_escape(key[1])}/{key[0].lower()}/responses/{code}"
        response = responses[code]
        if "$ref" in response:
            pointer = response["$ref"][1:]
            response = self.document["components"]["responses"][pointer.rsplit("/", 1)[1]]
        if content_type not in response["content"]:
            return [f"content type {content_type}"]
        judge = self.validator(f"{pointer}/content/{_escape(content_type)}/schema")
        return [f"{error.json_path}: {error.message[:200]}" for error in judge.iter_errors(body)]

    def leaves(self, schema: dict[str, Any], path: str = "") -> set[str]:
        """Paths of all leaves of a schema; list items are written as []."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self.leaves(self.document["components"]["schemas"][name], path)
        found: set[str] = set()
        for part in schema.get("allOf", ()):
            found |= self.leaves(part, path)
        for name, child in schema.get("properties", {}).items():
            found |= self.leaves(child, f"{path}.{name}" if path else name)
        if "items" in schema:
            found |= self.leaves(schema["items"], f"{path}[]")
        return found or {path}


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


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


APPLIVERY = Contract("applivery-aosp.openapi.yaml")
MIDM = Contract("visionmax-midm.openapi.yaml")
