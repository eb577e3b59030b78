"""A small JSON Schema checker for what the API's document uses; refuses keywords it does not know.

A library would do more than needed and be one more thing to keep current; refusing the unknown
means a schema can never look stricter than it is checked.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

Schema = Mapping[str, Any]

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "null": lambda v: v is None,
}


def _check_uri(text: str) -> None:
    if urlsplit(text).scheme not in ("http", "https"):
        raise ValueError


FORMATS: dict[str, Callable[[str], object]] = {
    "uuid": uuid.UUID,
    "date-time": datetime.fromisoformat,
    "uri": _check_uri,
}
LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda v, limit: v >= limit,
    "maximum": lambda v, limit: v <= limit,
    "exclusiveMinimum": lambda v, limit: v > limit,
    "minItems": lambda v, limit: len(v) >= limit,
    "maxItems": lambda v, limit: len(v) <= limit,
    "maxLength": lambda v, limit: len(v) <= limit,
    "pattern": lambda v, limit: re.search(limit, v) is not None,
    "enum": lambda v, limit: v in limit,
}
KNOWN = {
    "$ref", "type", "description", "properties", "required", "additionalProperties", "items",
    "prefixItems", "anyOf", "format", *LIMITS,
}  # fmt: skip


def problems(value: Any, schema: Schema, named: Mapping[str, Schema], at: str = "$") -> list[str]:
    """What is wrong with `value`; empty when nothing is.

    Raises ValueError for a keyword that is not checked here.
    """
    if unknown := set(schema) - KNOWN:
        raise ValueError(f"{at}: unchecked keywords {unknown}")
    if "$ref" in schema:
        return problems(value, named[schema["$ref"].rsplit("/", 1)[1]], named, at)
    if "anyOf" in schema:
        tried = [problems(value, one, named, at) for one in schema["anyOf"]]
        return [] if [] in tried else [f"{at}: fits none of {tried}"]
    if "type" in schema and not TYPES[schema["type"]](value):
        return [f"{at}: {value!r} is no {schema['type']}"]
    found = [
        f"{at}: {value!r} breaks {word} {schema[word]!r}"
        for word, holds in LIMITS.items()
        if word in schema and not holds(value, schema[word])
    ]
    return found + _format(value, schema, at) + _parts(value, schema, named, at)


def _format(value: Any, schema: Schema, at: str) -> list[str]:
    if "format" not in schema:
        return []
    try:
        FORMATS[schema["format"]](value)
    except ValueError:
        return [f"{at}: {value!r} is no {schema['format']}"]
    return []


def _parts(value: Any, schema: Schema, named: Mapping[str, Schema], at: str) -> list[str]:
    """Problems of an object's fields or an array's items."""
    found: list[str] = []
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{at}: no {name!r}" for name in schema.get("required", ()) if name not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{at}: unknown {name!r}" for name in value if name not in properties]
        for name in value.keys() & properties.keys():
            found += problems(value[name], properties[name], named, f"{at}.{name}")
    if isinstance(value, list):
        for position, item in enumerate(value):
            inner = _item_schema(schema, position)
            found += problems(item, inner, named, f"{at}[{position}]")
    return found


def _item_schema(schema: Schema, position: int) -> Schema:
    prefix = schema.get("prefixItems", ())
    inner: Schema = prefix[position] if position < len(prefix) else schema.get("items", {})
    return inner
