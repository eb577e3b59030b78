"""What a program is answered: each body as a pydantic model, from which `/v1/openapi.json` is made.

Limits are described, not enforced: a figure of ours that is a hair beyond its range is no reason to
answer with a failure. The tests hold real answers to them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from segmentation.masks.quality import DOUBTS
from sessions_app import models
from sessions_app.api.bodies import Point, described
from sessions_app.click_history import SCOPES

Count = Annotated[int, described(minimum=0)]
Pixels = Annotated[int, described(minimum=1)]
Metres = Annotated[float, described(exclusiveMinimum=0)]
Share = Annotated[float, described(minimum=0, maximum=1)]
Seconds = Annotated[float, described(minimum=0)]
Address = Annotated[str, described(format="uri")]
StatusWord = Annotated[str, described(enum=list(models.Session.Status.values))]
Time = Annotated[
    datetime,
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Answer(BaseModel):
    """Base of all: an object with exactly these fields."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class ErrorObject(Answer):
    """What went wrong."""

    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="A sentence for people: what was wrong and what to do.")


class Error(Answer):
    """The one shape of every failure."""

    error: ErrorObject


class Links(Answer):
    """Where to go on with a session."""

    self: Address
    clicks: Address
    generate: Address
    cancel: Address
    status: Address
    result: Address


class Session(Answer):
    """What is known of a session besides its generations."""

    session_id: UUID = Field(description="The secret that gives access to the session.")
    status: StatusWord
    width: Pixels = Field(description="Of the upright photo; clicks are in these pixels.")
    height: Pixels
    attempts_left: Count
    created_at: Time
    expires_at: Time = Field(
        description="When the photo and the results are deleted. Use moves it on."
    )
    links: Links


class Mask(Answer):
    """The marked wall, as an outline and as a picture."""

    svg_path: str = Field(
        description="SVG path data of the marked wall; fill it with fill-rule evenodd."
    )
    view_box: str = Field(description="viewBox of an svg element that lies exactly on the photo.")
    png: str = described(
        "The mask as a grey 8-bit PNG, 0 to 255 coverage, at png_width x png_height: the photo's "
        "size, brought down to 2048 pixels on the long side.",
        pattern="^data:image/png;base64,",
    )
    png_width: Pixels
    png_height: Pixels
    area: Share = Field(description="Share of the photo that is marked.")
    score: Share | None = Field(description="The model's trust in the mask; null for a given mask.")
    doubt: Annotated[str, described(enum=list(DOUBTS))] | None = Field(
        description="What speaks most against the mask: the last click changed more than one "
        "plausibly does (jump), much of it looks like no wall (not_wall), its edge is unsure "
        "(edge); null when little does."
    )
    warning: str | None = Field(description="A sentence when the mask looks wrong.")
    suggestion: Point | None = Field(description="A next point that would help.")


class Clicks(Answer):
    """The points in force and the mask they make."""

    session_id: UUID = Field(description="The secret that gives access to the session.")
    status: StatusWord
    width: Pixels = Field(description="Of the upright photo; clicks are in these pixels.")
    height: Pixels
    points: list[Point]
    scope: Annotated[str, described(enum=list(SCOPES))]
    attempts_left: Count
    mask: Mask | None = Field(description="null when nothing is marked.")


class Wallpaper(Answer):
    """A wallpaper of a session."""

    id: UUID = Field(description="Can be sent as 'wallpaper' in this session again.")
    source: str = described(enum=list(models.Wallpaper.Source.values))
    design: str | None = Field(description="Slug of the built-in design.")
    title: str
    width: Pixels
    height: Pixels
    repeat_width_m: Metres


class Design(Answer):
    """A built-in design."""

    slug: str = Field(description="Send it as 'wallpaper'.")
    title: str
    description: str
    repeat_width_m: Metres
    repeat_height_m: Metres
    drop: Share
    colours: list[str]
    keywords: list[str]
    width: Pixels
    height: Pixels
    picture_url: Address
    thumbnail_url: Address


class Designs(Answer):
    """The built-in designs."""

    wallpapers: list[Design]


class Generation(Answer):
    """A picture that was asked for."""

    session_id: UUID
    generation: Pixels = Field(description="Number of the generation in its session.")
    request_key: str
    status: StatusWord
    backend: str
    wallpaper: Wallpaper
    attempts_left: Count
    status_url: Address


class Result(Answer):
    """A finished picture."""

    generation: Pixels
    url: Address


class Status(Session):
    """Where a session stands, with its latest generation's progress, result or failure."""

    clicks: Count
    has_mask: bool
    wallpaper: Wallpaper | None
    generation: Count | None = Field(None, description="Number of the latest generation.")
    stage: str | None = Field(None, description="What the worker is doing.")
    progress: Annotated[int, described(minimum=0, maximum=100)] | None = None
    waited_seconds: Seconds | None = None
    worked_seconds: Seconds | None = None
    waiting_for_worker: bool = Field(description="No worker is running at the moment.")
    ahead: Count | None = Field(None, description="Generations before it in the queue.")
    result_url: Address | None = Field(
        None, description="PNG of the latest generation once completed."
    )
    error: ErrorObject | None = Field(None, description="Why the latest generation failed.")
    results: list[Result] = Field(description="All completed generations, oldest first.")
