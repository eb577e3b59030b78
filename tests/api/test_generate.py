"""POST /v1/sessions/{id}/generate."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from jobs import tasks
from sessions_app.api import bodies
from sessions_app.catalogue import designs
from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.services import generations, runs
from sessions_app.services.session_lock import session_lock
from tests.api.program import Program, at, code_of
from tests.harness.factories import as_file, make_ready_session, make_session, wall_mask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]

NOWHERE = "unix:///nonexistent/valkey.sock?db=0"
MASK = base64.b64encode(as_file(wall_mask())).decode()


def make_api_session(**fields: Any) -> Session:
    return make_session(source=Session.Source.API, visitor="", **fields)


def make_ready(**fields: Any) -> Session:
    return make_ready_session(source=Session.Source.API, visitor="", **fields)


def generate(api: Program, session: Session, body: dict[str, Any], **headers: str) -> Any:
    return api.post_json(at(session, "/generate"), body, **headers)


def fail(number: int = 1) -> None:
    row = Generation.objects.get(number=number)
    runs.fail(row.pk, row.run, code="x", message="x", detail="", is_ours=False)


def test_a_mask_and_a_design_are_queued(api: Program) -> None:
    session = make_api_session()
    design = designs()[0]

    response = generate(api, session, {"wallpaper": design.slug, "mask": MASK})

    shown = response.json()
    generation = Generation.objects.get()
    assert response.status_code == 202
    assert (shown["generation"], shown["status"], shown["attempts_left"]) == (1, "queued", 9)
    assert shown["wallpaper"]["design"] == design.slug
    assert response.headers["Location"] == shown["status_url"]
    assert generation.state == Generation.State.QUEUED


def test_a_queued_generation_is_made_by_the_worker_and_downloaded(api: Program) -> None:
    session = make_api_session()
    generate(api, session, {"wallpaper": designs()[0].slug, "mask": MASK})
    generation = Generation.objects.get()

    tasks.run_generation(str(generation.pk), 1)

    status = api.get(at(session, "/status")).json()
    assert (status["status"], status["error"]) == ("completed", None)
    picture = api.get(status["result_url"].removeprefix("http://testserver/v1"))
    assert picture.status_code == 200
    assert picture.received.startswith(b"\x89PNG")


@pytest.mark.parametrize("head", ["", "data:image/png;base64,", "data:image/PNG;name=m;base64,"])
def test_a_mask_comes_bare_or_as_a_data_url(api: Program, head: str) -> None:
    response = generate(api, make_ready(), {"mask": head + MASK})

    assert response.status_code == 202


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (5, "bad_mask"),
        ("", "bad_mask"),
        ([MASK], "bad_mask"),
        ("not base64!", "bad_mask"),
        ("ümlaut", "bad_mask"),
        ("data:image/svg+xml;base64,AAAA", "bad_mask"),
        (base64.b64encode(as_file(wall_mask(100, 100))).decode(), "wrong_size"),
        (base64.b64encode(as_file(wall_mask() * 0)).decode(), "empty_mask"),
    ],
)
def test_a_mask_that_is_none_is_refused(api: Program, mask: Any, code: str) -> None:
    session = make_ready()

    response = generate(api, session, {"mask": mask})

    session.refresh_from_db()
    assert response.status_code == 422
    assert code_of(response) == code
    assert session.attempts_left == settings.ATTEMPTS_PER_SESSION


def test_a_mask_beyond_the_limit_is_too_large(api: Program) -> None:
    session = make_ready()

    with override_settings(MAX_UPLOAD_BYTES=2000):
        response = generate(api, session, {"mask": "A" * 4000})

    assert response.status_code == 413


def test_a_body_beyond_the_limit_is_too_large(api: Program) -> None:
    body = b" " * (bodies.max_mask_characters() + bodies.MIB + 1)

    assert api.post_json(at(make_ready(), "/generate"), body).status_code == 413


def test_placement_reaches_the_generation(api: Program) -> None:
    wanted = {"repeat_width_m": 0.7, "mirror": True, "seams": True, "strip_width_m": 0.68}

    generate(api, make_ready(), {"placement": wanted})

    placement = Generation.objects.get().placement
    assert {name: placement[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    "placement",
    [
        "x",
        [],
        {"repeat": 1},
        {"repeat_width_m": "1"},
        {"repeat_width_m": True},
        {"repeat_width_m": 0},
        {"repeat_width_m": 1e9},
        {"mirror": "false"},
        {"seams": 1},
        {"strip_width_m": 53},
        {"strip_width_m": True},
        {"mode": "stretch"},
        {"mode": 1},
        {"drop": None},
        {"brightness": 40},
        {"keep_shadows": 2},
    ],
)
def test_a_placement_that_makes_no_sense_is_refused(api: Program, placement: Any) -> None:
    response = generate(api, make_ready(), {"placement": placement})

    assert response.status_code == 422
    assert code_of(response) == "bad_placement"
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    "url", ["ftp://example.org/a.png", "http://127.0.0.1/a.png", "nonsense", "https://e.org/" * 300]
)
def test_a_link_that_is_refused_queues_nothing(api: Program, url: str) -> None:
    response = generate(api, make_ready(), {"wallpaper_url": url})

    assert response.status_code == 422
    assert not Generation.objects.exists()


@pytest.mark.parametrize("name", ["no-such-design", str(uuid.UUID(int=7)), "x" * 61])
def test_an_unknown_wallpaper_is_not_an_unknown_session(api: Program, name: str) -> None:
    response = generate(api, make_ready(), {"wallpaper": name})

    assert response.status_code == 422


@pytest.mark.parametrize("value", [5, ["a"], {"a": 1}, "\ud800", "a\x00b"])
def test_a_wallpaper_that_is_no_text_is_refused_by_name(api: Program, value: Any) -> None:
    for field in ("wallpaper", "wallpaper_url", "request_key"):
        response = generate(api, make_ready(), {field: value})
        assert response.status_code == 422
        assert f"'{field}'" in response.json()["error"]["message"]


def test_two_wallpapers_are_refused(api: Program) -> None:
    body = {"wallpaper": "linen", "wallpaper_url": "https://example.org/a.png"}

    assert code_of(generate(api, make_ready(), body)) == "two_wallpapers"


def test_a_wallpaper_of_the_session_is_chosen_again_by_its_id(api: Program) -> None:
    session = make_ready()
    own = str(Wallpaper.objects.get().pk)
    generate(api, session, {"wallpaper": designs()[0].slug})
    fail()

    response = generate(api, session, {"wallpaper": own})

    assert response.json()["wallpaper"]["id"] == own


def test_another_sessions_wallpaper_is_unknown(api: Program) -> None:
    theirs = make_ready().wallpaper
    assert theirs is not None

    response = generate(api, make_ready(), {"wallpaper": str(theirs.pk)})

    assert code_of(response) == "unknown_wallpaper"


def test_without_a_mask_it_is_the_wrong_moment(api: Program) -> None:
    response = generate(api, make_api_session(), {"wallpaper": designs()[0].slug})

    assert (response.status_code, code_of(response)) == (409, "no_mask")


def test_without_a_wallpaper_it_is_the_wrong_moment(api: Program) -> None:
    response = generate(api, make_api_session(), {"mask": MASK})

    assert (response.status_code, code_of(response)) == (409, "no_wallpaper")


def test_without_attempts_it_is_refused(api: Program) -> None:
    response = generate(api, make_ready(attempts_left=0), {})

    assert (response.status_code, code_of(response)) == (403, "no_attempts_left")


@pytest.mark.parametrize("where", ["field", "header", "quoted header"])
def test_the_same_key_gives_the_same_generation_for_ever(api: Program, where: str) -> None:
    session = make_ready()
    body = {"request_key": "order-7"} if where == "field" else {}
    header = {"header": "order-7", "quoted header": '"order-7"'}.get(where)
    headers = {"Idempotency-Key": header} if header else {}
    first = generate(api, session, body, **headers)
    fail()

    again = generate(api, session, {**body, "wallpaper": designs()[0].slug}, **headers)

    session.refresh_from_db()
    assert again.status_code == 202
    assert again.json()["generation"] == first.json()["generation"]
    assert again.json()["request_key"] == "order-7"
    assert session.attempts_left == 9


def test_a_repeated_body_without_a_key_is_one_request_until_it_ends(api: Program) -> None:
    session = make_ready()

    first, repeated = generate(api, session, {}), generate(api, session, {})
    fail()
    another = generate(api, session, {})

    numbers = [answer.json()["generation"] for answer in (first, repeated, another)]
    assert numbers == [1, 1, 2]


def test_another_request_while_one_is_in_progress_is_told_so(api: Program) -> None:
    session = make_ready()
    generate(api, session, {})
    session.refresh_from_db()

    response = generate(api, session, {"wallpaper": designs()[0].slug})

    before = session.wallpaper_id
    session.refresh_from_db()
    assert (response.status_code, code_of(response)) == (409, "generation_in_progress")
    assert session.wallpaper_id == before


@pytest.mark.parametrize("key", ["with blank", "x" * 65, "ä"])
def test_a_key_of_another_shape_is_refused(api: Program, key: str) -> None:
    assert generate(api, make_ready(), {"request_key": key}).status_code == 422


def test_two_different_keys_are_refused(api: Program) -> None:
    response = generate(api, make_ready(), {"request_key": "a"}, **{"Idempotency-Key": "b"})

    assert code_of(response) == "bad_request_key"


@override_settings(REDIS_URL=NOWHERE)
def test_with_redis_away_it_says_when_to_come_back_and_loses_nothing(api: Program) -> None:
    session = make_ready()

    response = generate(api, session, {})

    session.refresh_from_db()
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert session.attempts_left == settings.ATTEMPTS_PER_SESSION
    assert not Generation.objects.exists()


def test_a_generation_asked_for_in_the_meantime_is_not_taken_for_ones_own(
    api: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_ready()
    request = generations.request_generation

    def slower(**asked: Any) -> Generation:
        request(session_id=session.pk, request_key="faster")
        return request(**asked)

    monkeypatch.setattr(generations, "request_generation", slower)

    response = generate(api, session, {"request_key": "slower"})

    assert code_of(response) == "generation_in_progress"


def test_a_refused_request_leaves_the_session_as_it_was(api: Program) -> None:
    session = make_api_session()
    path = at(session, "/generate")

    refused = api.post_json(path, {"wallpaper": designs()[0].slug})

    session.refresh_from_db()
    assert refused.status_code == 409
    assert session.wallpaper_id is None


def test_a_refused_placement_leaves_the_wallpaper_as_it_was(api: Program) -> None:
    session = make_ready()
    before = session.wallpaper_id

    refused = api.post_json(
        at(session, "/generate"),
        {"wallpaper": designs()[0].slug, "placement": {"repeat_width_m": 0}},
    )

    session.refresh_from_db()
    assert refused.status_code == 422
    assert session.wallpaper_id == before


def test_two_requests_at_once_do_not_mix(api: Program) -> None:
    session = make_ready()
    with session_lock(session):
        refused = api.post_json(at(session, "/generate"), {"wallpaper": designs()[0].slug})

    assert (refused.status_code, code_of(refused)) == (409, "generation_in_progress")
