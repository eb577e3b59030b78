"""Which processors add products of bytes where they overflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from segmentation.runtime import int8_products_saturate


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags\t\t: fpu sse4_1 avx2", True),
        ("flags\t\t: fpu avx2 avx_vnni", False),
        ("flags\t\t: fpu avx512f avx512_vnni", False),
        ("Features\t: fp asimd asimddp", False),
    ],
)
def test_an_x86_processor_without_vnni_is_known(tmp_path: Path, flags: str, expected: bool) -> None:
    described = tmp_path / "cpuinfo"
    described.write_text(f"processor\t: 0\nmodel name\t: of the test\n{flags}\n", encoding="utf-8")

    assert int8_products_saturate(described) is expected


def test_where_nothing_is_said_of_the_processor_none_is_suspected(tmp_path: Path) -> None:
    assert not int8_products_saturate(tmp_path / "absent")
