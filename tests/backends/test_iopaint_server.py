"""The adapter against IOPaint itself, with the model that needs no weights: OpenCV's inpainting."""

from __future__ import annotations

import os
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.backends import GenerationInputs
from jobs.backends.diffusion.iopaint import IOPaint
from jobs.backends.local import LocalBackend
from sessions_app.models import Generation
from tests.backends.calls import made, refused, run
from tests.harness import servers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# It pins an old Pillow, so it lives in an environment of its own; docs/backends.md says how to make
# one.
PROGRAM = os.environ.get("WALLPAPER_IOPAINT") or shutil.which("iopaint")
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """IOPaint with `--model cv2`; yields its address."""
    if PROGRAM is None:
        pytest.skip("IOPaint is not installed (set WALLPAPER_IOPAINT to its program)")
    folder: Path = tmp_path_factory.mktemp("iopaint")
    port = servers.free_port()
    command = [PROGRAM, "start", "--model", "cv2", "--device", "cpu", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--model-dir", str(folder)]
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{url}/api/v1/model", timeout=2) as got:
            return bool(got.status == 200)
        return False

    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(servers, "START_SECONDS", PATIENCE_SECONDS)
        with servers.running(
            command,
            ready=answers,
            log=folder / "server.log",
            environment={**os.environ, "HF_HUB_OFFLINE": "1", "HOME": str(folder)},
        ):
            yield url


@pytest.fixture
def iopaint(server: str, settings: Any) -> str:
    """The settings that lead to the server."""
    settings.IOPAINT_URL = server
    settings.DEFAULT_GENERATION_BACKEND = "iopaint"
    return server


def test_a_generation_is_made_and_touches_only_the_wall(iopaint: str) -> None:
    generation = run()

    assert generation.state == Generation.State.COMPLETED, generation.error_detail
    assert generation.backend == "iopaint"
    assert generation.untouched_outside is True


def test_what_the_server_painted_is_on_the_wall(iopaint: str, inputs: GenerationInputs) -> None:
    mask = np.zeros_like(inputs.mask)
    mask[60:120, 40:140] = 255
    part = GenerationInputs(inputs.photo, mask, inputs.wallpaper, inputs.plane, inputs.placement)
    local = made(LocalBackend(), part).astype(int)

    found = made(IOPaint(), part).astype(int)

    # The eraser paints the paper over with what surrounds it: the plain wall.
    assert np.abs(found[90, 90] - inputs.photo[90, 90].astype(int)).max() < 25
    assert np.abs(local[mask > 0] - found[mask > 0]).mean() > 20
    assert (found[mask == 0] == inputs.photo[mask == 0]).all()


def test_the_same_generation_gives_the_same_picture(iopaint: str, inputs: GenerationInputs) -> None:
    first, second = (made(IOPaint(), inputs) for _ in range(2))

    assert (first == second).all()


def test_a_field_of_the_wrong_type_is_refused_by_the_server(
    iopaint: str, inputs: GenerationInputs, settings: Any
) -> None:
    settings.IOPAINT_FIELDS = '{"sd_steps": "many"}'

    assert refused(IOPaint(), inputs).code == "service_request_refused"


def test_a_mask_of_another_size_is_refused_by_the_server(
    iopaint: str, inputs: GenerationInputs, settings: Any
) -> None:
    settings.IOPAINT_FIELDS = '{"mask": "$wallpaper"}'

    error = refused(IOPaint(), inputs)

    assert "not match" in str(error)
    assert error.code == "service_request_refused"


def test_a_picture_it_cannot_read_is_a_fault_of_the_server(
    iopaint: str, inputs: GenerationInputs, settings: Any
) -> None:
    settings.IOPAINT_FIELDS = '{"image": "bm8gcGljdHVyZQ=="}'

    assert refused(IOPaint(), inputs).code == "service_faulty"
