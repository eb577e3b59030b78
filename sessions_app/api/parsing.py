"""How a request's body is read before a model sees it, and what a client is told that the model
refused.

Every refusal names the field. The messages are ours, not pydantic's: they are part of the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.parser import Parser

from sessions_app.api.bodies import KIB, MIB, Placement, max_mask_characters, shown
from sessions_app.api.errors import BadBody, TooLarge, WrongMediaType
from sessions_app.click_history import SCOPES
from sessions_app.errors import AppError

# Longest bodies by the name of the address; elsewhere a mask may come.
BODY_LIMITS: Final = {"api-clicks": 1 * MIB, "api-cancel": 1 * KIB}
# What surrounds the file in a multipart body: boundaries, headers, a few short fields.
MULTIPART_OVERHEAD_BYTES: Final = 64 * KIB

_CODES: Final = {
    "scope": "bad_scope",
    "placement": "bad_placement",
    "generation": "bad_generation",
}
_COUNT: Final = "a whole number from 1 on"
# What a field must be, by the type of pydantic's error.
_NOUNS: Final = {
    "literal_error": f"one of {', '.join(SCOPES)}",
    "dict_type": "an object",
    "bool_type": "true or false",
    "string_type": "a text",
    "float_type": "a finite number",
    "int_type": _COUNT,
    "greater_than_equal": _COUNT,
    "less_than_equal": _COUNT,
}


class JsonObjectParser(Parser):
    """Reads bodies that are one JSON object."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The object.

        Raises:
            WrongMediaType: the Content-Type is not application/json.
            TooLarge: longer than the address takes.
            BadBody: not UTF-8, not JSON (NaN and Infinity are not), or not an object.
        """
        if wrong_type := _wrong_type(request):
            raise wrong_type
        address = request.resolver_match.url_name if request.resolver_match else None
        limit = BODY_LIMITS.get(address or "", max_mask_characters() + MIB)
        if len(request.body) > limit:
            raise TooLarge(f"The body may have at most {limit / MIB:.0f} MB.")
        try:
            body = json.loads(request.body.decode("utf-8-sig"), parse_constant=_refuse_constant)
        # RecursionError: thousands of nested brackets. ValueError also covers bad UTF-8 and giant
        # numbers.
        except (ValueError, RecursionError) as error:
            raise BadBody("The body is not valid JSON.", code="bad_json") from error
        if not isinstance(body, dict):
            raise BadBody("The body must be a JSON object.", code="bad_json")
        return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _wrong_type(request: HttpRequest) -> WrongMediaType | None:
    """The refusal of a body that is not sent as JSON."""
    is_json = request.content_type == "application/json"
    return None if is_json else WrongMediaType("Send the body as application/json.")


def one_photo(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view's decorator: looks at the form before ninja does.

    The view then raises:
        WrongMediaType: the body is not multipart/form-data.
        TooLarge: the file is larger than an upload may be.
        BadBody: no file in the field 'file', or several.
    """

    def checked(request: HttpRequest, **values: object) -> HttpResponseBase:
        _require_one_file(request, "file")
        return view(request, **values)

    return checked


def _require_one_file(request: HttpRequest, name: str) -> None:
    if request.content_type != "multipart/form-data":
        raise WrongMediaType(f"Send the photo as multipart/form-data, in the field '{name}'.")
    too_large = TooLarge(
        f"The file is too large; at most {settings.MAX_UPLOAD_BYTES // MIB} MB are taken."
    )
    # By its stated length, before a byte of it is read; the upload handler counts what really
    # comes.
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > settings.MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD_BYTES:
        raise too_large
    files = request.FILES.getlist(name)
    if getattr(request, "upload_too_big", False):
        raise too_large
    if len(files) != 1:
        count = "no file" if not files else f"{len(files)} files"
        raise BadBody(f"The field '{name}' must hold one file; it holds {count}.", code="no_file")


def refusal(request: HttpRequest, error: Mapping[str, Any]) -> AppError:
    """What the client is told of one of pydantic's errors: `loc` is where in the body, `type` what
    is wrong.
    """
    kind, where = error["type"], error["loc"][2:]
    if kind == "unknown_field":
        return BadBody(error["msg"], code=kind)
    if not where:  # the body is empty, and no parser has looked at it
        return _wrong_type(request) or BadBody("The body is not valid JSON.", code="bad_json")
    field = where[0]
    if field == "points":
        return _points_refusal(error, kind, where[1:])
    if field == "mask":
        return BadBody(error["msg"], code="bad_mask")
    if field == "placement" and kind == "extra_forbidden":
        known = ", ".join(Placement.__annotations__)
        sentence = f"'placement' has the unknown key {shown(where[1])}; known are {known}."
    elif kind == "string_too_long":
        sentence = f"'{field}' is too long; at most {error['ctx']['max_length']} characters."
    elif kind == "string_unicode":
        sentence = f"'{field}' has characters that are not text."
    else:
        noun = _NOUNS.get(kind, "of another kind")
        sentence = f"'{'.'.join(map(str, where))}' must be {noun}."
    return BadBody(sentence, code=_CODES.get(field, BadBody.code))


def _points_refusal(error: Mapping[str, Any], kind: str, where: Sequence[int]) -> BadBody:
    """What is wrong with the list of points, with one of them (`where` has one entry) or with a
    number of it (two).
    """
    if not where and kind == "too_long":
        count, limit = error["ctx"]["actual_length"], error["ctx"]["max_length"]
        sentence = f"'points' has {count} entries; at most {limit} are taken."
        return BadBody(sentence, code="too_many_clicks")
    if not where:
        sentence = "'points' must be a list of [x, y, label]."
    elif len(where) == 1 or kind == "missing":
        sentence = f"'points[{where[0]}]' must be [x, y, label]."
    elif where[1] == 2:
        sentence = f"'points[{where[0]}]': the label must be 1 (include) or 0 (exclude)."
    else:
        sentence = f"'points[{where[0]}]': x and y must be finite numbers."
    return BadBody(sentence, code="bad_points")
