"""/v1/sessions/{id}/clicks."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sessions_app.models import Session
from sessions_app.services.clicking import MAX_CLICKS_AT_ONCE
from tests.api.program import Program, at, code_of
from tests.harness.factories import make_ready_session, make_session, wall_mask

pytestmark = pytest.mark.django_db


def make_api_session(**fields: Any) -> Session:
    return make_session(source=Session.Source.API, visitor="", **fields)


def picture(data_url: str) -> np.ndarray:
    """The pixels of a PNG in a data URL."""
    data = base64.b64decode(data_url.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.model
def test_a_point_on_the_wall_gives_its_mask(api: Program) -> None:
    session = make_api_session()

    response = api.post_json(at(session, "/clicks"), {"points": [[60, 60, 1]]})

    shown = response.json()
    mask = picture(shown["mask"]["png"])
    assert response.status_code == 200
    assert shown["points"] == [[60, 60, 1]]
    assert shown["status"] == "embedding_completed"
    assert mask.shape == (240, 320)
    assert mask[60, 60] > 127
    assert shown["mask"]["view_box"] == "-0.5 -0.5 320 240"
    assert shown["mask"]["svg_path"].startswith("M")
    assert abs(shown["mask"]["area"] - (mask > 127).mean()) < 0.02


@pytest.mark.model
def test_points_replace_all_earlier_ones(api: Program) -> None:
    session = make_api_session()
    api.post_json(at(session, "/clicks"), {"points": [[60, 60, 1], [180, 150, 0]]})

    response = api.post_json(at(session, "/clicks"), {"points": [[70, 50, 1]]})

    assert response.json()["points"] == [[70, 50, 1]]
    assert api.get(at(session, "/clicks")).json() == response.json()


def test_the_scope_is_kept_until_another_is_sent(api: Program) -> None:
    session = make_api_session()
    api.post_json(at(session, "/clicks"), {"points": [[60, 60, 1]], "scope": "this"})

    kept = api.post_json(at(session, "/clicks"), {"points": [[70, 50, 1]]}).json()
    changed = api.post_json(
        at(session, "/clicks"), {"points": [[70, 50, 1]], "scope": "all"}
    ).json()

    assert (kept["scope"], changed["scope"]) == ("this", "all")


@pytest.mark.parametrize("scope", ["both", 1, ["this"], ""])
def test_an_unknown_scope_is_refused_by_name(api: Program, scope: Any) -> None:
    response = api.post_json(
        at(make_api_session(), "/clicks"), {"points": [[60, 60, 1]], "scope": scope}
    )

    assert response.status_code == 422
    assert code_of(response) == "bad_scope"
    assert "this" in response.json()["error"]["message"]


def test_the_mask_of_an_upload_can_be_read_back(api: Program) -> None:
    session = make_ready_session(source=Session.Source.API)

    shown = api.get(at(session, "/clicks")).json()

    assert (picture(shown["mask"]["png"]) == wall_mask()).all()
    assert shown["mask"]["score"] is None
    assert shown["points"] == []


def test_without_any_mark_there_is_no_mask(api: Program) -> None:
    assert api.get(at(make_api_session(), "/clicks")).json()["mask"] is None


@pytest.mark.parametrize(
    "points",
    [
        "x",
        None,
        {},
        [1, 2, 1],
        [[1, 2]],
        [[1, 2, 1, 4]],
        [["1", 2, 1]],
        [[True, 2, 1]],
        [[1, None, 1]],
        [[1, 2, 2]],
        [[1, 2, "include"]],
        [[1, 2, True]],
        [[[1], 2, 1]],
        [[10**400, 2, 1]],
    ],
)
def test_points_of_another_shape_are_refused_by_name(api: Program, points: Any) -> None:
    response = api.post_json(at(make_api_session(), "/clicks"), {"points": points})

    assert response.status_code == 422
    assert code_of(response) == "bad_points"
    assert "'points" in response.json()["error"]["message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(api: Program, number: str) -> None:
    body = '{"points": [[' + number + ", 2, 1]]}"

    response = api.post_json(at(make_api_session(), "/clicks"), body)

    assert response.status_code == 422
    assert code_of(response) in ("bad_json", "bad_points")


@pytest.mark.parametrize("point", [[-1, 5, 1], [5, 240, 1], [320, 5, 0], [1e9, 1e9, 1]])
def test_a_point_outside_the_photo_is_refused(api: Program, point: list[float]) -> None:
    session = make_api_session()

    response = api.post_json(at(session, "/clicks"), {"points": [[60, 60, 1], point]})

    session.refresh_from_db()
    assert response.status_code == 422
    assert code_of(response) == "click_outside"
    assert session.history.clicks == ()


def test_ten_thousand_points_are_refused_by_name(api: Program) -> None:
    response = api.post_json(at(make_api_session(), "/clicks"), {"points": [[5, 5, 1]] * 10_000})

    assert response.status_code == 422
    assert code_of(response) == "too_many_clicks"
    assert f"'points' has 10000 entries; at most {MAX_CLICKS_AT_ONCE}" in response.text


def test_points_that_include_nothing_are_refused(api: Program) -> None:
    for points in ([], [[5, 5, 0]]):
        response = api.post_json(at(make_api_session(), "/clicks"), {"points": points})
        assert response.status_code == 422


def test_a_body_beyond_the_limit_is_too_large(api: Program) -> None:
    response = api.post_json(at(make_api_session(), "/clicks"), b" " * (1024 * 1024 + 1))

    assert response.status_code == 413


@pytest.mark.parametrize(
    "body",
    [b" ", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"points": ' + b"9" * 5000 + b"}"],
)
def test_a_body_that_is_no_json_object_is_refused(api: Program, body: bytes) -> None:
    response = api.post_json(at(make_api_session(), "/clicks"), body)

    assert response.status_code == 422
    assert code_of(response) in ("bad_json", "bad_points")


def test_an_unknown_field_is_refused_by_name(api: Program) -> None:
    response = api.post_json(
        at(make_api_session(), "/clicks"), {"points": [[5, 5, 1]], "pionts": []}
    )

    assert code_of(response) == "unknown_field"
    assert "'pionts'" in response.json()["error"]["message"]


def test_a_form_is_another_media_type(api: Program) -> None:
    response = api.call(
        "POST",
        at(make_api_session(), "/clicks"),
        data="points=1",
        content_type="application/x-www-form-urlencoded",
    )

    assert response.status_code == 415
