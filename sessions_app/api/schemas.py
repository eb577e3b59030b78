"""The JSON of requests and answers, as JSON Schema (2020-12) for the OpenAPI document.

Written by hand and held to the truth by a test that sends real requests and checks the real answers against
these. Limits come from the code that enforces them.
"""

from __future__ import annotations

from typing import Any

from rendering.placement import MAX_REPEAT_M, MAX_STRIP_M, MIN_REPEAT_M, MIN_STRIP_M, MODES
from segmentation.masks.quality import DOUBTS
from sessions_app.api.bodies import MAX_KEY_CHARACTERS
from sessions_app.click_history import SCOPES
from sessions_app.models import Session, Wallpaper
from sessions_app.services.clicking import MAX_CLICKS_AT_ONCE
from sessions_app.services.wallpapers import MAX_LINK_LENGTH

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PIXELS: Schema = {"type": "integer", "minimum": 1}
UUID_TEXT: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
ADDRESS: Schema = {"type": "string", "format": "uri"}
METRES: Schema = {"type": "number", "exclusiveMinimum": 0}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def nothing_or(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def about(schema: Schema, description: str) -> Schema:
    """The schema with a sentence for the reader."""
    return {**schema, "description": description}


def record(properties: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with exactly these fields, all required but the `optional` ones."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    """A named schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


STATUS: Schema = {"type": "string", "enum": list(Session.Status.values)}
POINT: Schema = {
    "type": "array",
    "prefixItems": [{"type": "number"}, {"type": "number"}, {"enum": [0, 1]}],
    "minItems": 3,
    "maxItems": 3,
    "description": "x, y, label. Pixels of the upright photo, x right, y down, pixel centres at "
    "whole numbers. Label 1 includes, 0 excludes.",
}
ERROR_OBJECT = record(
    {
        "code": about(TEXT, "Stable, for programs."),
        "message": about(TEXT, "A sentence for people: what was wrong and what to do."),
    }
)
LINKS = record(dict.fromkeys(("self", "clicks", "generate", "cancel", "status", "result"), ADDRESS))

SESSION_FIELDS: dict[str, Schema] = {
    "session_id": about(UUID_TEXT, "The secret that gives access to the session."),
    "status": STATUS,
    "width": about(PIXELS, "Of the upright photo; clicks are in these pixels."),
    "height": PIXELS,
    "attempts_left": COUNT,
    "created_at": TIME,
    "expires_at": about(TIME, "When the photo and the results are deleted. Use moves it on."),
    "links": ref("Links"),
}

MASK = record(
    {
        "svg_path": about(
            TEXT, "SVG path data of the marked wall; fill it with fill-rule evenodd."
        ),
        "view_box": about(TEXT, "viewBox of an svg element that lies exactly on the photo."),
        "png": {
            "type": "string",
            "pattern": "^data:image/png;base64,",
            "description": "The mask as a grey 8-bit PNG, 0 to 255 coverage, at png_width x "
            "png_height: the photo's size, brought down to 2048 pixels on the long side.",
        },
        "png_width": PIXELS,
        "png_height": PIXELS,
        "area": about(SHARE, "Share of the photo that is marked."),
        "score": about(nothing_or(SHARE), "The model's trust in the mask; null for a given mask."),
        "doubt": {
            "enum": [*DOUBTS, None],
            "description": "What speaks most against the mask: the last click changed more than one plausibly does "
            "(jump), much of it looks like no wall (not_wall), its edge is unsure (edge); null when little does.",
        },
        "warning": about(nothing_or(TEXT), "A sentence when the mask looks wrong."),
        "suggestion": about(nothing_or(ref("Point")), "A next point that would help."),
    }
)

WALLPAPER = record(
    {
        "id": about(UUID_TEXT, "Can be sent as 'wallpaper' in this session again."),
        "source": {"type": "string", "enum": list(Wallpaper.Source.values)},
        "design": about(nothing_or(TEXT), "Slug of the built-in design."),
        "title": TEXT,
        "width": PIXELS,
        "height": PIXELS,
        "repeat_width_m": METRES,
    }
)

DESIGN = record(
    {
        "slug": about(TEXT, "Send it as 'wallpaper'."),
        "title": TEXT,
        "description": TEXT,
        "repeat_width_m": METRES,
        "repeat_height_m": METRES,
        "drop": SHARE,
        "colours": {"type": "array", "items": TEXT},
        "keywords": {"type": "array", "items": TEXT},
        "width": PIXELS,
        "height": PIXELS,
        "picture_url": ADDRESS,
        "thumbnail_url": ADDRESS,
    }
)

CLICKS_REQUEST = record(
    {
        "points": {
            "type": "array",
            "items": ref("Point"),
            "minItems": 1,
            "maxItems": MAX_CLICKS_AT_ONCE,
        },
        "scope": about(
            {"enum": [*SCOPES, None]},
            "Which walls are meant: the clicked one, all of the photo, or what the points suggest (a first one on the main wall: that wall).",
        ),
    },
    optional=("scope",),
)

CLICKS = record(
    {
        **{
            name: SESSION_FIELDS[name]
            for name in ("session_id", "status", "width", "height", "attempts_left")
        },
        "points": {"type": "array", "items": ref("Point")},
        "scope": {"enum": list(SCOPES)},
        "mask": about(nothing_or(ref("Mask")), "null when nothing is marked."),
    }
)

_PLACEMENT_FIELDS: dict[str, Schema] = {
    "repeat_width_m": {
        "type": "number",
        "minimum": MIN_REPEAT_M,
        "maximum": MAX_REPEAT_M,
        "description": "Width of one repeat on the wall, metres.",
    },
    "origin_x_m": about({"type": "number"}, "Shift of the pattern to the right, metres."),
    "origin_y_m": about({"type": "number"}, "Shift of the pattern downwards, metres."),
    "rotation_deg": about({"type": "number"}, "Turn of the pattern, degrees clockwise."),
    "drop": about(SHARE, "Share of the repeat's height by which each next column hangs lower."),
    "mirror": about({"type": "boolean"}, "Flip the picture left to right."),
    "mode": {"type": "string", "enum": list(MODES)},
    "seams": about({"type": "boolean"}, "Show the joints between the strips."),
    "strip_width_m": {
        "type": "number",
        "minimum": MIN_STRIP_M,
        "maximum": MAX_STRIP_M,
        "description": "Width of a strip, that is of a roll, metres; 0.53 unless told.",
    },
    "brightness": {
        "type": "number",
        "minimum": -1,
        "maximum": 1,
        "description": "Correction of the light in stops.",
    },
    "keep_shadows": about(
        SHARE,
        "How much of the wall's shadows and lamp light stays: 0 lit evenly, 1 as in the photo.",
    ),
}
PLACEMENT = record(_PLACEMENT_FIELDS, optional=tuple(_PLACEMENT_FIELDS))

_GENERATE_FIELDS: dict[str, Schema] = {
    "wallpaper_url": {
        "type": "string",
        "maxLength": MAX_LINK_LENGTH,
        "description": "Public http(s) address of a picture; the server fetches it.",
    },
    "wallpaper": about(TEXT, "Slug of a built-in design, or id of a wallpaper of this session."),
    "mask": about(
        TEXT,
        "PNG of the photo's size as base64 or data URL, white is wall; replaces the clicks.",
    ),
    "placement": about(ref("Placement"), "Keys that are absent stay as they were."),
    "request_key": {
        "type": "string",
        "maxLength": MAX_KEY_CHARACTERS,
        "description": "The same key again gives the same generation, whatever else is sent. "
        "Also taken from the Idempotency-Key header.",
    },
}
GENERATE_REQUEST = record(_GENERATE_FIELDS, optional=tuple(_GENERATE_FIELDS))

CANCEL_REQUEST = record(
    {"generation": about(PIXELS, "Number of the generation to stop; the latest when absent.")},
    optional=("generation",),
)

GENERATION = record(
    {
        "session_id": UUID_TEXT,
        "generation": about(PIXELS, "Number of the generation in its session."),
        "request_key": TEXT,
        "status": STATUS,
        "backend": TEXT,
        "wallpaper": ref("Wallpaper"),
        "attempts_left": COUNT,
        "status_url": ADDRESS,
    }
)

STATUS_ANSWER = record(
    {
        **SESSION_FIELDS,
        "clicks": COUNT,
        "has_mask": {"type": "boolean"},
        "wallpaper": nothing_or(ref("Wallpaper")),
        "generation": about(nothing_or(COUNT), "Number of the latest generation."),
        "stage": about(nothing_or(TEXT), "What the worker is doing."),
        "progress": nothing_or({"type": "integer", "minimum": 0, "maximum": 100}),
        "waited_seconds": nothing_or({"type": "number", "minimum": 0}),
        "worked_seconds": nothing_or({"type": "number", "minimum": 0}),
        "waiting_for_worker": about({"type": "boolean"}, "No worker is running at the moment."),
        "ahead": about(nothing_or(COUNT), "Generations before it in the queue."),
        "result_url": about(nothing_or(ADDRESS), "PNG of the latest generation once completed."),
        "error": about(nothing_or(ref("ErrorObject")), "Why the latest generation failed."),
        "results": about(
            {
                "type": "array",
                "items": record({"generation": PIXELS, "url": ADDRESS}),
            },
            "All completed generations, oldest first.",
        ),
    }
)

SCHEMAS: dict[str, Schema] = {
    "ErrorObject": ERROR_OBJECT,
    "Error": record({"error": ref("ErrorObject")}),
    "Links": LINKS,
    "Point": POINT,
    "Session": record(SESSION_FIELDS),
    "Mask": MASK,
    "ClicksRequest": CLICKS_REQUEST,
    "Clicks": CLICKS,
    "Placement": PLACEMENT,
    "GenerateRequest": GENERATE_REQUEST,
    "CancelRequest": CANCEL_REQUEST,
    "Generation": GENERATION,
    "Status": STATUS_ANSWER,
    "Wallpaper": WALLPAPER,
    "Design": DESIGN,
    "Designs": record({"wallpapers": {"type": "array", "items": ref("Design")}}),
}
