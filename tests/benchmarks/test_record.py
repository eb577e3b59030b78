"""A benchmark's output is kept with the command, the machine and the date beside it."""

from __future__ import annotations

from pathlib import Path

from benchmarks import record

FACTS = {"Date": "1 December 2026", "Processor": "Example 9000", "Cores": "2"}


def test_the_page_says_what_was_run_where_and_when() -> None:
    page = record.page("masks", ["--modes", "stock", "told"], FACTS, "a line\nanother\n")

    assert "| Command | `python -m benchmarks.masks --modes stock told` |" in page
    assert "| Processor | Example 9000 |" in page
    assert "| Date | 1 December 2026 |" in page
    assert "```text\na line\nanother\n```" in page


def test_the_page_names_no_folder_of_the_machine() -> None:
    page = record.page("masks", [], FACTS, f"Overlays: {record.ROOT}/out/index.html\n")

    assert str(record.ROOT) not in page
    assert "Overlays: ./out/index.html" in page


def test_a_program_that_fails_leaves_the_earlier_results(tmp_path: Path) -> None:
    earlier = tmp_path / "stored_photo.md"
    earlier.write_text("earlier")

    status = record.main(["stored_photo", "no-such-photo.jpg"], folder=tmp_path)

    assert status != 0
    assert earlier.read_text() == "earlier"


def test_the_machine_is_described_as_far_as_it_tells() -> None:
    facts = record.machine()

    assert facts["Processor"]
    assert int(facts["Cores"]) > 0
    assert "onnxruntime" in facts["Versions"]
