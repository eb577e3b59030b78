from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sessions_app import catalogue
from sessions_app.catalogue import STATIC_DIR, Design, SampleRoom
from tests.catalogue.seams import seam
from tools import draw_designs

DESIGNS = catalogue.designs()
ROOMS = catalogue.sample_rooms()

# The largest value over the shipped designs is 1.16 (JPEG blocks meet at the joint, and the step
# over a block's edge is a little larger than one inside it); the same designs cut off 37 pixels
# short give 1.39 to 13.
SEAMLESS = 1.25


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def by_slug(item: Design | SampleRoom) -> str:
    return item.slug


def test_the_gallery_offers_at_least_twelve_designs() -> None:
    assert len(DESIGNS) >= 12


def test_three_sample_rooms_ship_one_of_them_portrait() -> None:
    assert len(ROOMS) == 3
    assert any(room.height > room.width for room in ROOMS)


@pytest.mark.parametrize("item", [*DESIGNS, *ROOMS], ids=by_slug)
def test_every_shipped_file_has_its_digest_written_down(item: Design | SampleRoom) -> None:
    folder, key = ("designs", "designs") if isinstance(item, Design) else ("samples", "samples")
    entries = json.loads((STATIC_DIR / folder / "catalogue.json").read_text(encoding="utf-8"))[key]
    written = next(entry["sha256"] for entry in entries if entry["slug"] == item.slug)
    assert written == hashlib.sha256(catalogue.static_path(item).read_bytes()).hexdigest()


# In "stripes" a stripe begins exactly at the vertical joint; the test after this measures that one.
JOINTS = [
    pytest.param(one, axis, id=f"{one.slug}-{name}")
    for one in DESIGNS
    for axis, name in ((0, "top-to-bottom"), (1, "side-to-side"))
    if (one.slug, axis) != ("stripes", 1)
]


@pytest.mark.parametrize(("design", "axis"), JOINTS)
def test_a_design_goes_on_across_its_joint(design: Design, axis: int) -> None:
    assert seam(pixels(catalogue.static_path(design)), axis) < SEAMLESS


def test_the_stripes_meet_at_the_joint_as_they_meet_inside() -> None:
    design = catalogue.design("stripes")
    assert design is not None
    stripes = pixels(catalogue.static_path(design)).astype(np.int16)
    # Four equal bands: moved on by one, only the smoothing of the stripes' edges may differ.
    assert np.abs(np.roll(stripes, design.width // 4, axis=1) - stripes).max() <= 10


@pytest.mark.parametrize("slug", ["terrazzo", "limewash", "thicket"])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_seam_measure_sees_a_design_cut_at_the_wrong_place(slug: str, axis: int) -> None:
    design = catalogue.design(slug)
    assert design is not None
    cut = pixels(catalogue.static_path(design))[:-37, :-37]
    assert seam(cut, axis) > 2 * SEAMLESS


@pytest.mark.parametrize("design", DESIGNS, ids=by_slug)
def test_a_design_is_large_enough_to_print_sharply_and_small_enough_to_load(design: Design) -> None:
    assert 1024 <= design.width <= 1600
    assert design.height <= 1600
    assert catalogue.static_path(design).stat().st_size < 400_000


def test_all_designs_together_stay_below_4_mebibytes() -> None:
    assert sum(catalogue.static_path(one).stat().st_size for one in DESIGNS) < 4 * 2**20


@pytest.mark.parametrize("design", DESIGNS, ids=by_slug)
def test_a_design_thumbnail_is_small_and_square(design: Design) -> None:
    path = STATIC_DIR / design.thumb
    assert path.stat().st_size < 25_000
    assert pixels(path).shape == (256, 256, 3)


@pytest.mark.parametrize("room", ROOMS, ids=by_slug)
def test_a_room_thumbnail_fits_320_pixels(room: SampleRoom) -> None:
    path = STATIC_DIR / room.thumb
    assert path.stat().st_size < 25_000
    assert max(pixels(path).shape[:2]) == 320


@pytest.mark.parametrize("design", DESIGNS, ids=by_slug)
def test_a_design_can_be_searched_and_shown_by_colour(design: Design) -> None:
    assert design.keywords
    assert design.colours


@pytest.mark.parametrize("item", [*DESIGNS, *ROOMS], ids=by_slug)
def test_an_item_is_found_by_its_slug(item: Design | SampleRoom) -> None:
    find = catalogue.design if isinstance(item, Design) else catalogue.sample_room
    assert find(item.slug) == item


def test_an_unknown_slug_finds_nothing() -> None:
    assert catalogue.design("no-such") is None
    assert catalogue.sample_room("../designs/terrazzo") is None


def test_shipped_jpegs_carry_no_camera_data() -> None:
    items: list[Design | SampleRoom] = [*DESIGNS, *ROOMS]
    for item in items:
        with Image.open(catalogue.static_path(item)) as picture:
            assert not picture.getexif()


def test_drawing_a_design_twice_gives_the_same_pixels() -> None:
    assert np.array_equal(draw_designs.draw("limewash"), draw_designs.draw("limewash"))


@pytest.fixture(scope="module")
def ticking() -> NDArray[np.uint8]:
    """A design as its program draws it."""
    return draw_designs.draw("ticking")


def test_a_shipped_design_is_what_its_program_draws(ticking: NDArray[np.uint8]) -> None:
    drawn = ticking.astype(np.int16)
    design = catalogue.design("ticking")
    assert design is not None
    shipped = pixels(catalogue.static_path(design)).astype(np.int16)
    # JPEG at quality 86 to 90 moves a pixel by two levels on average.
    assert np.abs(drawn - shipped).mean() < 4


def test_a_picture_that_does_not_fill_jpeg_blocks_stays_lossless(
    ticking: NDArray[np.uint8],
) -> None:
    odd = Image.fromarray(ticking[:131, :203])
    data, suffix = draw_designs.encode(odd)
    assert suffix == ".png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), np.asarray(odd))


def test_adopting_a_picture_writes_file_thumbnail_and_an_entry_to_paste(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "mine.png"
    Image.new("RGB", (64, 48), (120, 60, 30)).save(source)
    assert draw_designs.main(["--adopt", str(source), "my-own", "--out", str(tmp_path)]) == 0
    entry = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert entry["slug"] == "my-own"
    assert entry["colours"][0] == "#783c1e"
    assert (tmp_path / "thumbs" / "my-own.webp").is_file()
    assert (tmp_path / Path(entry["file"]).name).is_file()


def test_an_unknown_design_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        draw_designs.main(["no-such"])
    assert "no such design: no-such" in capsys.readouterr().err
