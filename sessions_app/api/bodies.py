"""Reading a request's body: JSON objects with checked fields, and one uploaded file.

Checks shape only (types, finiteness, sizes), each with a message that names the field; what the values mean
is for the services, which are the same as the pages'.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping, Set
from typing import Any, Final, NoReturn, TypeGuard

from django.conf import settings
from django.http import HttpRequest

from sessions_app.api.errors import BadBody, TooLarge, WrongMediaType
from sessions_app.click_history import SCOPES, ClickTuple
from sessions_app.services.clicking import MAX_CLICKS_AT_ONCE

KIB: Final = 1024
MIB: Final = 1024 * KIB

MAX_CLICKS_BODY_BYTES: Final = 1 * MIB
MAX_KEY_CHARACTERS: Final = 64
# What surrounds the file in a multipart body: boundaries, headers, a few short fields.
MULTIPART_OVERHEAD_BYTES: Final = 64 * KIB

_DATA_URL: Final = re.compile(r"data:image/png(?:;[a-z-]+=[\w-]+)*;base64,", re.IGNORECASE)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,64}")

Body = Mapping[str, Any]


def max_mask_characters() -> int:
    """Longest base64 text of a mask: a file at the upload limit, plus the data URL's head."""
    return 4 * math.ceil(settings.MAX_UPLOAD_BYTES / 3) + 64


def json_body(request: HttpRequest, *, fields: Set[str], max_bytes: int) -> Body:
    """The body as a JSON object that has no other fields than `fields`.

    Raises:
        WrongMediaType: the Content-Type is not application/json.
        TooLarge: more than `max_bytes`.
        BadBody: not UTF-8, not JSON (NaN and Infinity are not), not an object, or an unknown field.
    """
    if request.content_type != "application/json":
        raise WrongMediaType("Send the body as application/json.")
    if len(request.body) > max_bytes:
        raise TooLarge(f"The body may have at most {max_bytes / MIB:.0f} MB.")
    try:
        body = json.loads(request.body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    # RecursionError: thousands of nested brackets. ValueError also covers bad UTF-8 and giant numbers.
    except (ValueError, RecursionError) as error:
        raise BadBody("The body is not valid JSON.", code="bad_json") from error
    if not isinstance(body, dict):
        raise BadBody("The body must be a JSON object.", code="bad_json")
    if unknown := sorted(set(body) - fields):
        raise BadBody(
            f"Unknown field {_shown(unknown[0])}; known are {', '.join(sorted(fields))}.",
            code="unknown_field",
        )
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _shown(text: str) -> str:
    """A client's word, short and printable, for a message."""
    return ascii(text[:40])


def text_field(body: Body, name: str, *, limit: int) -> str:
    """The text of a field; empty when it is absent or null.

    Raises:
        BadBody: not a text, too long, or with characters a database cannot keep (NUL, half a surrogate pair).
    """
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadBody(f"'{name}' must be a text.")
    if len(value) > limit:
        raise BadBody(f"'{name}' is too long; at most {limit} characters.")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise BadBody(f"'{name}' has characters that are not text.")
    return value.strip()


def scope_field(body: Body) -> str | None:
    """`scope` as one of SCOPES; None when it is absent or null.

    Raises:
        BadBody: anything else.
    """
    value = body.get("scope")
    if value is None:
        return None
    if value not in SCOPES:
        raise BadBody(f"'scope' must be one of {', '.join(SCOPES)}.", code="bad_scope")
    return str(value)


def count_field(body: Body, name: str) -> int | None:
    """A whole number from 1 on; None when it is absent or null.

    Raises:
        BadBody: anything else.
    """
    value: object = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise BadBody(f"'{name}' must be a whole number from 1 on.", code=f"bad_{name}")
    return value


def is_number(value: object) -> TypeGuard[int | float]:
    """True for a finite JSON number; true and false are not numbers, though Python counts them in."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # A whole number of hundreds of digits is valid JSON and does not fit a float.
    return abs(value) < 1e15 and math.isfinite(value)


def points_field(body: Body) -> tuple[ClickTuple, ...]:
    """`points` as clicks (x, y, label), photo pixels.

    Raises:
        BadBody: not a list of [x, y, label] with finite numbers and a label of 0 or 1, or too many.
    """
    value = body.get("points")
    if not isinstance(value, list):
        raise BadBody("'points' must be a list of [x, y, label].", code="bad_points")
    if len(value) > MAX_CLICKS_AT_ONCE:
        raise BadBody(
            f"'points' has {len(value)} entries; at most {MAX_CLICKS_AT_ONCE} are taken.",
            code="too_many_clicks",
        )
    return tuple(_point(item, position) for position, item in enumerate(value))


def _point(item: object, position: int) -> ClickTuple:
    where = f"'points[{position}]'"
    if not isinstance(item, list) or len(item) != 3:
        raise BadBody(f"{where} must be [x, y, label].", code="bad_points")
    x, y, label = item
    if not is_number(x) or not is_number(y):
        raise BadBody(f"{where}: x and y must be finite numbers.", code="bad_points")
    if not is_number(label) or label not in (0, 1):
        raise BadBody(f"{where}: the label must be 1 (include) or 0 (exclude).", code="bad_points")
    return float(x), float(y), int(label)


def placement_field(body: Body, *, known: Mapping[str, type]) -> dict[str, Any]:
    """`placement` as a mapping of the `known` keys; empty when absent.

    Raises:
        BadBody: not an object, an unknown key, or a value of the wrong type.
    """
    value = body.get("placement")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadBody("'placement' must be an object.", code="bad_placement")
    for key, item in value.items():
        _check_placement(key, item, known)
    return dict(value)


def _check_placement(key: str, item: object, known: Mapping[str, type]) -> None:
    if key not in known:
        raise BadBody(
            f"'placement' has the unknown key {_shown(key)}; known are {', '.join(known)}.",
            code="bad_placement",
        )
    wanted = known[key]
    fits = is_number(item) if wanted is float else isinstance(item, wanted)
    if not fits:
        noun = {float: "a finite number", bool: "true or false", str: "a text"}[wanted]
        raise BadBody(f"'placement.{key}' must be {noun}.", code="bad_placement")


def mask_field(body: Body) -> bytes | None:
    """The bytes of the PNG in `mask`, base64 with or without a data URL's head; None when absent.

    Raises:
        TooLarge: larger than an upload may be.
        BadBody: not base64. (Whether it is a PNG of the right size is the service's question.)
    """
    value = body.get("mask")
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise BadBody("'mask' must be a PNG as base64 or as a data URL.", code="bad_mask")
    if len(value) > max_mask_characters():
        raise TooLarge(f"'mask' may have at most {settings.MAX_UPLOAD_BYTES // MIB} MB.")
    head = _DATA_URL.match(value)
    encoded = "".join(value[head.end() if head else 0 :].split())
    try:
        return base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise BadBody(
            "'mask' must be a PNG as base64 or as a data URL (data:image/png;base64,...).",
            code="bad_mask",
        ) from error


def request_key(request: HttpRequest, body: Body) -> str:
    """The client's own key of this request, from `request_key` or the Idempotency-Key header; may be empty.

    Raises:
        BadBody: longer than 64 characters or with blanks, or the two disagree.
    """
    field = text_field(body, "request_key", limit=MAX_KEY_CHARACTERS)
    # The header's draft standard writes the key as a quoted string; most clients write it bare.
    header = request.headers.get("Idempotency-Key", "").strip().strip('"')
    if field and header and field != header:
        raise BadBody(
            "'request_key' and the Idempotency-Key header differ.", code="bad_request_key"
        )
    key = field or header
    if key and not _KEY.fullmatch(key):
        raise BadBody(
            "The request key must have 1 to 64 visible ASCII characters.", code="bad_request_key"
        )
    return key


def uploaded_file(request: HttpRequest, name: str) -> bytes:
    """The bytes of the one file sent as `name` in a multipart form.

    Raises:
        WrongMediaType: the body is not multipart/form-data.
        TooLarge: the file is larger than an upload may be.
        BadBody: no such file, or several.
    """
    if request.content_type != "multipart/form-data":
        raise WrongMediaType(f"Send the photo as multipart/form-data, in the field '{name}'.")
    too_large = TooLarge(
        f"The file is too large; at most {settings.MAX_UPLOAD_BYTES // MIB} MB are taken."
    )
    # By its stated length, before a byte of it is read; the upload handler counts what really comes.
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > settings.MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD_BYTES:
        raise too_large
    files = request.FILES.getlist(name)
    if getattr(request, "upload_too_big", False):
        raise too_large
    if len(files) != 1:
        count = "no file" if not files else f"{len(files)} files"
        raise BadBody(f"The field '{name}' must hold one file; it holds {count}.", code="no_file")
    return bytes(files[0].read())
