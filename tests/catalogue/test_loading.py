from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sessions_app.catalogue import CatalogueError, load_designs, load_sample_rooms

GOOD: dict[str, Any] = {
    "slug": "blue-plain",
    "title": "Blue plain",
    "description": "A plain blue.",
    "file": "designs/blue.png",
    "thumb": "designs/blue.png",
    "repeat_width_m": 0.53,
}
ROOM: dict[str, Any] = {
    "slug": "hall",
    "title": "Hall",
    "description": "A hall.",
    "file": "designs/blue.png",
    "thumb": "designs/blue.png",
    "suggested_click": [10, 20],
    "credit": "Ours",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A static folder with one 40 x 30 picture and no catalogue yet."""
    for folder in ("designs", "samples"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (40, 30), (20, 40, 90)).save(tmp_path / "designs" / "blue.png")
    (tmp_path / "designs" / "notes.txt").write_text("not a picture", encoding="utf-8")
    return tmp_path


def write(shop: Path, *entries: Any) -> Path:
    text = json.dumps({"designs": entries})
    (shop / "designs" / "catalogue.json").write_text(text, encoding="utf-8")
    return shop


def write_rooms(shop: Path, *entries: Any) -> Path:
    text = json.dumps({"samples": entries})
    (shop / "samples" / "catalogue.json").write_text(text, encoding="utf-8")
    return shop


def test_a_file_and_an_entry_are_enough_to_add_a_design(shop: Path) -> None:
    (found,) = load_designs(write(shop, GOOD))
    assert (found.slug, found.width, found.height, found.drop) == ("blue-plain", 40, 30, 0.0)
    assert found.repeat_height_m == pytest.approx(0.53 * 30 / 40)
    assert found.repeat_width_cm == 53.0
    assert len(found.sha256) == 64


def test_designs_keep_the_order_of_the_file(shop: Path) -> None:
    found = load_designs(write(shop, {**GOOD, "slug": "zebra"}, {**GOOD, "slug": "aster"}))
    assert [one.slug for one in found] == ["zebra", "aster"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"file": "designs/gone.jpg"}, "no such file"),
        ({"thumb": "designs/gone.jpg"}, "no such file"),
        ({"file": "designs/notes.txt"}, "not a picture"),
        ({"file": "../secret.png"}, "inside static/"),
        ({"file": "/etc/hostname"}, "inside static/"),
        ({"repeat_width_m": "0.5"}, "must be a number"),
        ({"repeat_width_m": True}, "must be a number"),
        ({"repeat_width_m": 0}, "allowed is 0.02 to 20"),
        ({"repeat_width_m": 53}, "allowed is 0.02 to 20"),
        ({"repeat_width_m": float("nan")}, "allowed is 0.02 to 20"),
        ({"drop": 1}, "less than 1"),
        ({"drop": -0.5}, "allowed is 0.0 to 1.0"),
        ({"title": ""}, "'title' must be a text"),
        ({"title": "x" * 41}, "1 to 40 characters"),
        ({"colours": ["teal"]}, "expected a colour"),
        ({"keywords": "green"}, "must be a list"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"repeat_width": 0.5}, "unknown key 'repeat_width'"),
    ],
)
def test_a_broken_entry_is_refused_by_name(
    shop: Path, change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(CatalogueError, match="entry 'blue-plain'") as caught:
        load_designs(write(shop, {**GOOD, **change}))
    assert complaint in caught.value.detail


@pytest.mark.parametrize("slug", [None, "", "Two Words", "a/b", "-x"])
def test_a_bad_slug_is_refused_by_position(shop: Path, slug: Any) -> None:
    with pytest.raises(CatalogueError, match="entry 2: 'slug'"):
        load_designs(write(shop, GOOD, {**GOOD, "slug": slug}))


def test_a_slug_used_twice_is_refused(shop: Path) -> None:
    with pytest.raises(CatalogueError, match="'blue-plain': the slug is used twice"):
        load_designs(write(shop, GOOD, GOOD))


def test_an_entry_that_is_not_an_object_is_refused(shop: Path) -> None:
    with pytest.raises(CatalogueError, match="entry 1: must be an object"):
        load_designs(write(shop, "blue"))


@pytest.mark.parametrize("text", ["{", "[]", '{"designs": {}}', "\x00"])
def test_a_catalogue_that_is_no_list_of_designs_is_refused(shop: Path, text: str) -> None:
    (shop / "designs" / "catalogue.json").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"catalogue\.json"):
        load_designs(shop)


def test_a_missing_catalogue_is_refused_with_its_path(shop: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        load_designs(shop)


def test_the_sentence_for_visitors_names_no_path(shop: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        load_designs(shop)
    assert str(shop) not in caught.value.user_message
    assert caught.value.code == "catalogue_invalid"


def test_a_sample_room_keeps_its_suggested_click(shop: Path) -> None:
    (room,) = load_sample_rooms(write_rooms(shop, ROOM))
    assert room.suggested_click == (10, 20)


@pytest.mark.parametrize("click", [None, [1], [1, 2, 3], [1.5, 2], "1,2", [True, 1]])
def test_a_suggested_click_that_is_no_pixel_is_refused(shop: Path, click: Any) -> None:
    with pytest.raises(CatalogueError, match="entry 'hall': 'suggested_click' must be"):
        load_sample_rooms(write_rooms(shop, {**ROOM, "suggested_click": click}))


@pytest.mark.parametrize("click", [[40, 0], [0, 30], [-1, 0]])
def test_a_suggested_click_outside_the_photo_is_refused(shop: Path, click: list[int]) -> None:
    with pytest.raises(CatalogueError, match="lies outside the 40 x 30 photo"):
        load_sample_rooms(write_rooms(shop, {**ROOM, "suggested_click": click}))
