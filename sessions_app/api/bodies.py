"""What a program sends: each body as a pydantic model, which checks it and describes it in
`/v1/openapi.json`.

The models check shape only (types, finiteness, sizes). What the values mean is for the services,
which are the same as the pages': a limit that a service holds with its own message is only
described here (`described`).
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import Annotated, Any, Final

from django.conf import settings
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
    model_validator,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType, TypedDict

from rendering.placement import MAX_REPEAT_M, MAX_STRIP_M, MIN_REPEAT_M, MIN_STRIP_M, MODES
from sessions_app.api.errors import BadBody, TooLarge
from sessions_app.click_history import ScopeName
from sessions_app.services.clicking import MAX_CLICKS_AT_ONCE
from sessions_app.services.wallpapers import MAX_LINK_LENGTH

KIB: Final = 1024
MIB: Final = 1024 * KIB

MAX_KEY_CHARACTERS: Final = 64

_DATA_URL: Final = re.compile(r"data:image/png(?:;[a-z-]+=[\w-]+)*;base64,", re.IGNORECASE)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,64}")


def max_mask_characters() -> int:
    """Longest base64 text of a mask: a file at the upload limit, plus the data URL's head."""
    return 4 * math.ceil(settings.MAX_UPLOAD_BYTES / 3) + 64


def shown(text: str) -> str:
    """A client's word, short and printable, for a message."""
    return ascii(text[:40])


def described(description: str = "", **keywords: Any) -> Any:
    """A field's sentence and JSON Schema keywords for the document; nothing is checked by them."""
    return Field(description=description or None, json_schema_extra=keywords or None)


def _within_reach(number: float) -> float:
    if not abs(number) < 1e15:  # also NaN and infinity
        raise PydanticCustomError("float_type", "not finite")
    return number


def _one_or_zero(label: object) -> object:
    if isinstance(label, bool) or label not in (0, 1):  # Python counts true as 1
        raise PydanticCustomError("int_type", "neither 0 nor 1")
    return label


def _storable(text: str) -> str:
    if "\x00" in text:  # which no database keeps
        raise PydanticCustomError("string_unicode", "not storable")
    return text.strip()


def _png_bytes(value: object) -> bytes | None:
    """The bytes of a PNG in base64, with or without a data URL's head.

    Raises:
        TooLarge: larger than an upload may be.
        PydanticCustomError: not base64. (Whether it is a PNG of the right size is the service's
            question.)
    """
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise PydanticCustomError("mask", "'mask' must be a PNG as base64 or as a data URL.")
    if len(value) > max_mask_characters():
        raise TooLarge(f"'mask' may have at most {settings.MAX_UPLOAD_BYTES // MIB} MB.")
    head = _DATA_URL.match(value)
    encoded = "".join(value[head.end() if head else 0 :].split())
    try:
        return base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise PydanticCustomError(
            "mask", "'mask' must be a PNG as base64 or as a data URL (data:image/png;base64,...)."
        ) from error


Number = Annotated[float, Strict(), AfterValidator(_within_reach)]
Flag = Annotated[bool, Strict()]
Label = Annotated[
    int, BeforeValidator(_one_or_zero), WithJsonSchema({"type": "integer", "enum": [0, 1]})
]
Point = TypeAliasType(
    "Point",
    Annotated[
        tuple[Number, Number, Label],
        Field(
            description="x, y, label. Pixels of the upright photo, x right, y down, "
            "pixel centres at "
            "whole numbers. Label 1 includes, 0 excludes."
        ),
    ],
)


class Body(BaseModel):
    """Base of all: an object with no other fields than its own."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _only_known_fields(cls, body: dict[str, Any]) -> dict[str, Any]:
        """Before all else: a misspelt field explains whatever else is wrong."""
        if unknown := sorted(set(body) - set(cls.model_fields)):
            known = ", ".join(sorted(cls.model_fields))
            message = f"Unknown field {shown(unknown[0])}; known are {known}."
            raise PydanticCustomError("unknown_field", "{message}", {"message": message})
        return body


class ClicksRequest(Body):
    """All points of a session, in place of the earlier ones."""

    points: Annotated[list[Point], Field(max_length=MAX_CLICKS_AT_ONCE), described(minItems=1)]
    scope: ScopeName | None = Field(
        None,
        description="Which walls are meant: the clicked one, all of the photo, or what the points "
        "suggest (a first one on the main wall: that wall).",
    )


@with_config(ConfigDict(extra="forbid"))
class Placement(TypedDict, total=False):
    """How the wallpaper lies on the wall. Keys that are absent stay as they were."""

    repeat_width_m: Annotated[
        Number,
        described(
            "Width of one repeat on the wall, metres.", minimum=MIN_REPEAT_M, maximum=MAX_REPEAT_M
        ),
    ]
    origin_x_m: Annotated[Number, described("Shift of the pattern to the right, metres.")]
    origin_y_m: Annotated[Number, described("Shift of the pattern downwards, metres.")]
    rotation_deg: Annotated[Number, described("Turn of the pattern, degrees clockwise.")]
    drop: Annotated[
        Number,
        described(
            "Share of the repeat's height by which each next column hangs lower.",
            minimum=0,
            maximum=1,
        ),
    ]
    mirror: Annotated[Flag, described("Flip the picture left to right.")]
    mode: Annotated[str, Strict(), described(enum=list(MODES))]
    seams: Annotated[Flag, described("Show the joints between the strips.")]
    strip_width_m: Annotated[
        Number,
        described(
            "Width of a strip, that is of a roll, metres; 0.53 unless told.",
            minimum=MIN_STRIP_M,
            maximum=MAX_STRIP_M,
        ),
    ]
    brightness: Annotated[
        Number, described("Correction of the light in stops.", minimum=-1, maximum=1)
    ]
    keep_shadows: Annotated[
        Number,
        described(
            "How much of the wall's shadows and lamp light stays: 0 lit evenly, 1 as in the photo.",
            minimum=0,
            maximum=1,
        ),
    ]


class GenerateRequest(Body):
    """What is wanted of the next picture; absent fields leave things as they were."""

    wallpaper: Annotated[
        Annotated[str, Strict(), Field(max_length=60), AfterValidator(_storable)] | None,
        described("Slug of a built-in design, or id of a wallpaper of this session."),
    ] = None
    wallpaper_url: Annotated[
        Annotated[str, Strict(), Field(max_length=MAX_LINK_LENGTH), AfterValidator(_storable)]
        | None,
        described("Public http(s) address of a picture; the server fetches it."),
    ] = None
    mask: Annotated[
        bytes | None,
        BeforeValidator(_png_bytes),
        WithJsonSchema({"type": ["string", "null"]}),
        described(
            "PNG of the photo's size as base64 or data URL, white is wall; replaces the clicks."
        ),
    ] = None
    placement: Placement | None = None
    request_key: Annotated[
        Annotated[str, Strict(), Field(max_length=MAX_KEY_CHARACTERS), AfterValidator(_storable)]
        | None,
        described(
            "The same key again gives the same generation, whatever else is sent. "
            "Also taken from the Idempotency-Key header."
        ),
    ] = None


class CancelRequest(Body):
    """Which generation to stop."""

    generation: Annotated[
        Annotated[int, Strict(), Field(ge=1, le=1_000_000)] | None,
        described("Number of the generation to stop; the latest when absent."),
    ] = None


def request_key(asked: GenerateRequest, header: str) -> str:
    """The client's own key of this request, from `request_key` or the Idempotency-Key header; may
    be empty.

    Raises:
        BadBody: longer than 64 characters or with blanks, or the two disagree.
    """
    # The header's draft standard writes the key as a quoted string; most clients write it bare.
    header = header.strip().strip('"')
    if asked.request_key and header and asked.request_key != header:
        raise BadBody(
            "'request_key' and the Idempotency-Key header differ.", code="bad_request_key"
        )
    key = asked.request_key or header
    if key and not _KEY.fullmatch(key):
        raise BadBody(
            "The request key must have 1 to 64 visible ASCII characters.", code="bad_request_key"
        )
    return key
