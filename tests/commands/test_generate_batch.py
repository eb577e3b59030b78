"""`manage.py generate_batch`, as a shop calls it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from PIL import Image

from onnx_models import ModelSetupError
from segmentation import SamModel
from sessions_app.catalogue import designs
from sessions_app.inference import embeddings
from sessions_app.management import cli
from sessions_app.models import Session
from sessions_app.queueing import queues
from tests.harness import farm as farms
from tests.harness.factories import as_file, paper_pixels, room_pixels, wall_mask
from tests.harness.farm import Farm

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two photos with their masks, and two wallpapers."""
    for folder in ("rooms", "papers"):
        (tmp_path / folder).mkdir()
    for name in ("hall", "kitchen"):
        (tmp_path / "rooms" / f"{name}.png").write_bytes(as_file(room_pixels()))
        (tmp_path / "rooms" / f"{name}.mask.png").write_bytes(as_file(wall_mask()))
    for number, name in enumerate(("discs", "dots")):
        paper = np.roll(paper_pixels(), number * 20, axis=1)
        (tmp_path / "papers" / f"{name}.png").write_bytes(as_file(paper))
    return tmp_path


def batch(shop: Path, *more: object, papers: str = "papers") -> dict[str, Any]:
    """What `--json` says; a failure of pictures is no failure here."""
    out = io.StringIO()
    try:
        call_command(
            "generate_batch", str(shop / "rooms"), "--wallpapers", str(shop / papers),
            "--out", str(shop / "out"), "--json", *map(str, more), stdout=out, stderr=io.StringIO(),
        )  # fmt: skip
    except CommandError as error:
        if error.returncode != 1 or not out.getvalue():
            raise
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def outputs(shop: Path) -> list[str]:
    return sorted(path.name for path in (shop / "out").iterdir())


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_every_wallpaper_goes_on_every_photo(shop: Path) -> None:
    answer = batch(shop)

    assert (answer["made"], answer["skipped"], answer["failed"]) == (4, 0, 0)
    assert outputs(shop) == [
        "hall__discs.png",
        "hall__dots.png",
        "kitchen__discs.png",
        "kitchen__dots.png",
    ]
    picture = pixels_of(shop / "out" / "hall__discs.png")
    outside = wall_mask() == 0
    assert (picture[outside] == room_pixels()[outside]).all()
    assert (picture[~outside] != room_pixels()[~outside]).any(axis=1).mean() > 0.9


def test_nothing_is_kept_but_the_pictures(shop: Path) -> None:
    batch(shop)

    assert not Session.objects.exists()
    kept = [path for path in Path(django_settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert kept == []


def test_keep_leaves_the_sessions_for_the_admin(shop: Path) -> None:
    batch(shop, "--keep")

    assert Session.objects.filter(source=Session.Source.COMMAND).count() == 2


def test_what_is_there_already_is_not_made_again(shop: Path) -> None:
    batch(shop)
    (shop / "out" / "hall__dots.png").unlink()
    untouched = (shop / "out" / "hall__discs.png").stat().st_mtime_ns

    answer = batch(shop)

    assert (answer["made"], answer["skipped"]) == (1, 3)
    assert (shop / "out" / "hall__discs.png").stat().st_mtime_ns == untouched


def test_a_photo_takes_more_wallpapers_than_a_visitor_has_attempts(shop: Path) -> None:
    (shop / "rooms" / "hall.png").unlink()
    for number in range(12):
        paper = np.roll(paper_pixels(), number, axis=0)
        (shop / "papers" / f"extra-{number}.png").write_bytes(as_file(paper))

    assert batch(shop, "--max-side", 96)["made"] == 14


def test_a_bad_photo_and_a_bad_wallpaper_stop_nothing_else(shop: Path) -> None:
    (shop / "rooms" / "broken.jpg").write_bytes(b"no picture")
    (shop / "papers" / "broken.png").write_bytes(b"")

    answer = batch(shop)

    assert (answer["made"], answer["failed"]) == (4, 5)
    assert all(row["error"] for row in answer["pictures"] if row["state"] == "failed")
    assert len(outputs(shop)) == 4


def without_weights(monkeypatch: pytest.MonkeyPatch, settings: Any, folder: Path) -> list[str]:
    """A machine that has no weights and gets none; the list fills with what was asked for."""
    asked: list[str] = []

    def none_to_be_had(**_: object) -> None:
        asked.append("weights")
        raise ModelSetupError("The weights cannot be fetched.")

    settings.SAM_MODEL_DIR = str(folder)
    monkeypatch.setattr(cli, "ensure_models", none_to_be_had)
    return asked


def test_weights_that_cannot_be_had_are_said_once_at_the_start(
    shop: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    asked = without_weights(monkeypatch, settings, shop)

    with pytest.raises(CommandError, match="cannot be fetched"):
        batch(shop, "--auto")

    assert asked == ["weights"]


def test_without_weights_photos_with_a_mask_are_made_all_the_same(
    shop: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    (shop / "rooms" / "kitchen.mask.png").unlink()
    asked = without_weights(monkeypatch, settings, shop)

    answer = batch(shop)

    assert (answer["made"], answer["failed"], asked) == (2, 2, ["weights"])
    said = {row["error"] for row in answer["pictures"] if row["state"] == "failed"}
    assert said == {"The weights cannot be fetched."}


def test_with_masks_no_weights_are_asked_for(
    shop: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    asked = without_weights(monkeypatch, settings, shop)

    assert batch(shop)["made"] == 4
    assert asked == []


def test_failures_end_with_exit_code_1_and_a_line_each(shop: Path) -> None:
    (shop / "papers" / "broken.png").write_bytes(b"")
    lines = io.StringIO()

    with pytest.raises(CommandError, match="2 of 6") as failure:
        call_command(
            "generate_batch", str(shop / "rooms"), "--wallpapers", str(shop / "papers"),
            "--out", str(shop / "out"), stdout=io.StringIO(), stderr=lines,
        )  # fmt: skip

    assert failure.value.returncode == 1
    assert lines.getvalue().count("FAILED") == 2
    assert len(lines.getvalue().strip().splitlines()) == 6


def test_a_table_says_how_each_wallpaper_lies(shop: Path) -> None:
    (shop / "papers.csv").write_text(
        "wallpaper,repeat_width_m,drop,rotation_deg,mode\n"
        "papers/discs.png,0.5,half,,\n"
        "papers/discs.png,1.0,,90,tile\n"
        f"{designs()[0].slug},,,,\n"
        "papers/dots.png,wide,,,\n"
        "papers/dots.png,0.5,,,upside-down\n"
        "nowhere.png,,,,\n"
    )
    (shop / "rooms" / "hall.png").unlink()

    answer = batch(shop, "--keep", papers="papers.csv")

    assert [row["state"] for row in answer["pictures"]] == ["made"] * 3 + ["failed"] * 3
    assert {"kitchen__discs.png", "kitchen__discs-2.png"} < set(outputs(shop))
    first, second, _ = Session.objects.get().generations.order_by("number")
    assert (first.placement["repeat_width_m"], first.placement["drop"]) == (0.5, 0.5)
    assert (second.placement["repeat_width_m"], second.placement["drop"]) == (1.0, 0.0)
    assert second.placement["rotation_deg"] == 90.0
    errors = [row["error"] for row in answer["pictures"][3:]]
    assert "repeat_width_m" in errors[0]
    assert "nowhere.png" in errors[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folder": "nowhere"}, "no folder"),
        ({"folder": "papers-empty"}, "no photo"),
        ({"papers": "nowhere"}, "no folder and no CSV"),
        ({"papers": "papers-empty"}, "no wallpaper"),
        ({"papers": "odd.csv"}, "colour"),
        ({"papers": "rooms/hall.png"}, "CSV"),
        ({"out": "rooms"}, "another folder"),
        ({"more": ["--drop", "quarter"]}, "--drop"),
        ({"more": ["--backend", "magic"]}, "magic"),
        ({"more": ["--max-side", "5"]}, "64"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(
    shop: Path, change: dict[str, Any], message: str
) -> None:
    (shop / "papers-empty").mkdir()
    (shop / "odd.csv").write_text("wallpaper,colour\ndiscs.png,blue\n")
    call = {"folder": "rooms", "papers": "papers", "out": "out", "more": [], **change}

    with pytest.raises(CommandError) as refusal:
        call_command(
            "generate_batch", str(shop / call["folder"]), "--wallpapers",
            str(shop / call["papers"]), "--out", str(shop / call["out"]), *call["more"],
        )  # fmt: skip

    assert refusal.value.returncode == 2
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", ["", "[]", '{"points": [[1, 2]]}', '{"points": 5}'])
def test_clicks_that_cannot_be_read_are_said(shop: Path, content: str) -> None:
    (shop / "rooms" / "hall.mask.png").unlink()
    (shop / "rooms" / "hall.clicks.json").write_text(content)

    answer = batch(shop)

    assert (answer["made"], answer["failed"]) == (2, 2)
    assert "hall.clicks.json" in answer["pictures"][0]["error"]


@pytest.mark.model
def test_clicks_or_the_found_wall_stand_in_for_a_mask_and_the_photo_is_encoded_once(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hall", "kitchen"):
        (shop / "rooms" / f"{name}.mask.png").unlink()
    # Sizes of their own: another test's room of the usual size may be in the shared cache already.
    (shop / "rooms" / "hall.png").write_bytes(as_file(room_pixels(301, 219)))
    (shop / "rooms" / "kitchen.png").write_bytes(as_file(room_pixels(300, 220)))
    (shop / "rooms" / "hall.clicks.json").write_text('{"points": [[60, 40, 1]]}')
    # What another test's upload began in the background would be counted here.
    embeddings.executor.wait_idle(120)
    encoded: list[tuple[int, ...]] = []
    original = SamModel.encode

    def count(model: SamModel, photo: np.ndarray) -> Any:
        encoded.append(photo.shape)
        return original(model, photo)

    monkeypatch.setattr(SamModel, "encode", count)
    embeddings.memory.clear()

    answer = batch(shop, "--keep")

    assert answer["made"] == 4
    assert sorted(encoded) == [(219, 301, 3), (220, 300, 3)]
    marked = {len(session.history.clicks): session for session in Session.objects.all()}
    assert marked[0].history.is_auto
    assert marked[1].history.clicks[0][:2] == (60.0, 40.0)


@pytest.fixture
def farm(transactional_db: None, settings: Any) -> Iterator[Farm]:
    with farms.farm() as made:
        settings.REDIS_URL = made.url
        made.say("go")
        yield made


@pytest.mark.slow
def test_the_queue_shares_the_pictures_among_the_workers(shop: Path, farm: Farm) -> None:
    farm.worker()
    farm.worker()
    farm.wait(lambda: queues.queue_state().workers == 2, "workers")

    answer = batch(shop, "--queue")

    assert answer["made"] == 4
    assert len(farm.horses()) == 4
    assert not Session.objects.exists()


@pytest.mark.redis
def test_the_queue_without_a_worker_is_a_wrong_call(shop: Path) -> None:
    with pytest.raises(CommandError, match="No worker") as refusal:
        batch(shop, "--queue")

    assert refusal.value.returncode == 2


@pytest.mark.parametrize(
    "url", ["redis://:hunter2@127.0.0.1:1/0", "redis://me:x@127.0.0.1:1/0?password=hunter2"]
)
def test_a_redis_that_is_away_is_named_without_its_password(
    shop: Path, settings: Any, url: str
) -> None:
    settings.REDIS_URL = url

    with pytest.raises(CommandError) as refused:
        batch(shop, "--queue")

    assert str(refused.value) == "Redis does not answer at redis://127.0.0.1:1/0."
