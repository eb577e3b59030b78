"""What the page says of the marked wall."""

from __future__ import annotations

import uuid

import pytest
from django.template.loader import render_to_string

from sessions_app.click_history import ClickHistory
from sessions_app.models import Session
from sessions_app.services.overlays import Overlay
from sessions_app.views.contexts import Point

ADD = Point(left="1", top="1", kind="include")
TAKE = Point(left="1", top="1", kind="exclude")


@pytest.mark.parametrize(
    ("overlay", "suggestion", "sentence"),
    [
        (Overlay("", "", 0.3, 0.9, None, None, None), ADD, "Part of the wall may be missing"),
        (Overlay("", "", 0.3, 0.9, None, None, None), TAKE, "Part of this may not be wall"),
        (Overlay("", "", 0.3, 0.5, "not_wall", None, None), TAKE, "Much of this may not be wall"),
        (Overlay("", "", 0.3, 0.5, "edge", None, None), None, "The edge may not be exact"),
        (
            Overlay("", "", 0.3, 0.5, "jump", "Far more.", None),
            TAKE,
            "Far more. To remove the wrong part",
        ),
    ],
)
def test_the_summary_says_what_is_doubtful_and_which_click_settles_it(
    overlay: Overlay, suggestion: Point | None, sentence: str
) -> None:
    context = {
        "overlay": overlay,
        "suggestion": suggestion,
        "history": ClickHistory(),
        "session": Session(pk=uuid.uuid4()),
    }

    page = render_to_string("session/wall.html#summary", context)

    assert sentence in page


@pytest.mark.parametrize("is_main_wall", [True, False])
def test_that_one_click_took_the_main_wall_alone_is_said(is_main_wall: bool) -> None:
    overlay = Overlay("", "", 0.3, 0.95, None, None, None, is_main_wall=is_main_wall)

    page = render_to_string(
        "session/wall.html#summary",
        {"overlay": overlay, "history": ClickHistory(), "session": Session(pk=uuid.uuid4())},
    )

    assert ("Only the main wall is marked" in page) is is_main_wall


def test_of_a_mask_beyond_doubt_only_its_share_is_said() -> None:
    overlay = Overlay("", "", 0.3, 0.95, None, None, None)

    page = render_to_string(
        "session/wall.html#summary",
        {"overlay": overlay, "history": ClickHistory(), "session": Session(pk=uuid.uuid4())},
    )

    assert page.count("<p>") == 1
