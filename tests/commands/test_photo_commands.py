"""`segment`, `plane`, `generate` and `replay`, as a user calls them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from jobs import tasks
from sessions_app import storage
from sessions_app.models import Generation, Session
from tests.harness.factories import as_file, make_generation, paper_pixels, room_pixels, wall_mask

QUAD = "0,0 319,0 319,179 0,179"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A photo, its mask, a wallpaper, and where to write."""
    (tmp_path / "photo.png").write_bytes(as_file(room_pixels()))
    (tmp_path / "mask.png").write_bytes(as_file(wall_mask()))
    (tmp_path / "paper.png").write_bytes(as_file(paper_pixels()))
    names = ("photo.png", "mask.png", "paper.png", "out.png")
    return {name.split(".")[0]: str(tmp_path / name) for name in names}


def run(*arguments: object, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*(str(argument) for argument in arguments), "--json", stdout=out, **options)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def pixels_of(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def generate(files: dict[str, str], *more: object) -> dict[str, Any]:
    return run(
        "generate", files["photo"], "--wallpaper", files["paper"], "--mask", files["mask"],
        "--out", files["out"], *more,
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_generate_leaves_the_photo_alone_outside_the_mask(files: dict[str, str]) -> None:
    answer = generate(files, "--repeat-width", 0.5)

    picture, photo = pixels_of(files["out"]), room_pixels()
    outside = wall_mask() == 0
    assert (picture[outside] == photo[outside]).all()
    assert (picture[~outside] != photo[~outside]).any(axis=1).mean() > 0.9
    assert answer["untouched_outside"] is True


@pytest.mark.django_db(transaction=True)
def test_generate_keeps_a_record_of_a_command(files: dict[str, str]) -> None:
    answer = generate(files)

    session = Session.objects.get(pk=answer["session"])
    assert session.source == Session.Source.COMMAND
    assert session.generations.get().state == Generation.State.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_the_papers_corner_lies_at_the_quads_corner_plus_origin(files: dict[str, str]) -> None:
    # One repeat of 1 m on a wall of 3.2 x 1.8 m seen straight on: 100 px a metre, disc at its
    # middle.
    generate(
        files, "--quad", QUAD, "--quad-size", "3.19x1.79", "--repeat-width", 1, "--origin", "0.25,0"
    )

    picture = pixels_of(files["out"]).astype(int)
    orange = picture[..., 0] > picture[..., 2] + 40
    assert orange[50, 75]
    assert orange[50, 175]
    assert not orange[50, 25]
    assert not orange[50, 125]


@pytest.mark.django_db(transaction=True)
def test_an_origin_up_and_to_the_left_is_a_value_not_an_option(files: dict[str, str]) -> None:
    answer = generate(files, "--origin", "-0.1,0.2")

    row = Generation.objects.get(session_id=answer["session"])
    assert (row.placement["origin_x_m"], row.placement["origin_y_m"]) == (-0.1, 0.2)


@pytest.mark.django_db(transaction=True)
def test_generate_shows_the_strips_seams_when_asked(files: dict[str, str]) -> None:
    answer = generate(files, "--seams", "--strip-width", "0.7")

    row = Generation.objects.get(session_id=answer["session"])
    assert (row.placement["seams"], row.placement["strip_width_m"]) == (True, 0.7)


@pytest.mark.django_db(transaction=True)
def test_generate_takes_a_built_in_design_by_name(files: dict[str, str]) -> None:
    from sessions_app.catalogue import designs

    files = {**files, "paper": designs()[0].slug}

    assert generate(files, "--max-side", 160)["width"] == 160


@pytest.mark.django_db(transaction=True)
def test_generate_writes_a_jpeg_where_the_name_says_so(files: dict[str, str]) -> None:
    files = {**files, "out": files["out"].replace(".png", ".jpg")}

    generate(files)

    with Image.open(files["out"]) as image:
        assert image.format == "JPEG"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photo": "nowhere.jpg"}, "no file"),
        ({"paper": "nowhere.png"}, "no wallpaper"),
        ({"paper": "http://127.0.0.1/a.png"}, "."),
        ({"more": ["--quad", QUAD]}, "--quad-size"),
        ({"more": ["--quad", "0,0 1,1 2,2 3,3", "--quad-size", "1x1"]}, "line"),
        ({"more": ["--repeat-width", "0"]}, "repeat width"),
        ({"more": ["--drop", "quarter"]}, "--drop"),
        ({"more": ["--strip-width", "0.6"]}, "--seams"),
        ({"more": ["--seams", "--strip-width", "53"]}, "metres wide"),
        ({"more": ["--backend", "magic"]}, "magic"),
        ({"more": ["--auto"]}, "one of"),
        ({"more": ["--max-side", "5"]}, "64"),
    ],
)
def test_a_users_mistake_is_one_clear_line(
    files: dict[str, str], change: dict[str, Any], message: str
) -> None:
    more = change.pop("more", [])

    with pytest.raises((CommandError, SystemExit)) as refusal:
        generate({**files, **change}, *more)

    assert "\n" not in str(refusal.value)
    assert message in str(refusal.value)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"<svg/>", as_file(room_pixels())[:400], b"hello"]
)
def test_a_file_that_is_no_photo_is_refused_in_words(files: dict[str, str], content: bytes) -> None:
    Path(files["photo"]).write_bytes(content)

    with pytest.raises(CommandError) as refusal:
        generate(files)

    assert len(str(refusal.value)) > 20
    assert not Session.objects.exists()


def test_plane_answers_with_quad_and_homography(files: dict[str, str]) -> None:
    answer = run("plane", files["photo"], "--mask", files["mask"])

    assert np.array(answer["quad"]).shape == (4, 2)
    assert np.array(answer["H"]).shape == (3, 3)
    assert set(answer["vanishing_points"]) == {"vertical", "horizontal"}
    assert 0 <= answer["confidence"] <= 1


def test_plane_refuses_a_mask_of_another_size(files: dict[str, str], tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    small.write_bytes(as_file(np.full((10, 10), 255, np.uint8)))

    with pytest.raises(CommandError, match="10 x 10"):
        run("plane", files["photo"], "--mask", small)


@pytest.mark.model
def test_segment_writes_a_mask_of_the_photos_size(files: dict[str, str]) -> None:
    answer = run("segment", files["photo"], "--point", "60,40", "--out", files["out"])

    mask = pixels_of(files["out"])
    assert mask.shape[:2] == (240, 320)
    assert (answer["width"], answer["height"]) == (320, 240)
    assert set(answer) >= {"score", "area", "width", "height", "timings"}
    assert mask[40, 60, 0] == 255


@pytest.mark.model
def test_segment_turns_the_photo_upright_first(files: dict[str, str], tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = tmp_path / "turned.jpg"
    turned.write_bytes(as_file(room_pixels(), "JPEG", exif=exif))

    answer = run("segment", turned, "--auto", "--out", files["out"])

    assert (answer["width"], answer["height"]) == (240, 320)


@pytest.mark.model
def test_segment_refuses_a_point_outside_the_photo(files: dict[str, str]) -> None:
    with pytest.raises(CommandError) as refusal:
        run("segment", files["photo"], "--point", "4000,40", "--out", files["out"])

    assert "outside" in str(refusal.value)


@pytest.mark.parametrize("point", ["a,b", "1", "1,2,3,4", "1,2,7", "nan,1"])
def test_a_malformed_point_is_refused(files: dict[str, str], point: str) -> None:
    with pytest.raises((CommandError, SystemExit)):
        run("segment", files["photo"], "--point", point, "--out", files["out"])


@pytest.mark.django_db(transaction=True)
def test_replay_makes_the_same_bytes() -> None:
    generation = make_generation()
    tasks.run_generation(str(generation.pk), 1)

    answer = run("replay", generation.pk)

    assert answer["same"] is True
    assert answer["untouched_outside"] is True


@pytest.mark.django_db(transaction=True)
def test_replay_leaves_its_verdict_in_the_row() -> None:
    generation = make_generation()
    tasks.run_generation(str(generation.pk), 1)
    Generation.objects.update(untouched_outside=None)

    answer = run("replay", generation.pk)

    generation.refresh_from_db()
    assert generation.replayed_at is not None
    assert answer["replayed_at"] == generation.replayed_at.isoformat()
    assert (generation.replayed_same, generation.untouched_outside) == (True, True)
    assert generation.state == Generation.State.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_replay_tells_when_the_picture_differs() -> None:
    generation = make_generation()
    tasks.run_generation(str(generation.pk), 1)
    Generation.objects.update(placement={"repeat_width_m": 0.1})

    with pytest.raises(CommandError, match="differs"):
        run("replay", f"{generation.session_id}#1")

    generation.refresh_from_db()
    assert (generation.replayed_same, generation.untouched_outside) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_replay_finds_a_stored_picture_that_was_changed_and_records_it() -> None:
    generation = make_generation()
    tasks.run_generation(str(generation.pk), 1)
    generation.refresh_from_db()
    storage.delete(generation.result_key)
    storage.save(generation.result_key, as_file(np.full((240, 320, 3), 9, np.uint8)))

    with pytest.raises(CommandError, match="outside the mask"):
        run("replay", generation.pk)

    generation.refresh_from_db()
    assert generation.untouched_outside is False


@pytest.mark.django_db(transaction=True)
def test_replay_of_a_picture_that_is_gone_is_said() -> None:
    generation = make_generation()
    tasks.run_generation(str(generation.pk), 1)
    generation.refresh_from_db()
    storage.delete(generation.result_key)

    with pytest.raises(CommandError, match="not here any more"):
        run("replay", generation.pk)

    generation.refresh_from_db()
    assert (generation.replayed_at, generation.replayed_same) == (None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["x", "5f0c1d9e-0000-4000-8000-000000000000", "#1"])
def test_replay_of_nothing_is_said(name: str) -> None:
    with pytest.raises(CommandError):
        run("replay", name)
