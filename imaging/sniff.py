"""What a file is, told from its first bytes and its container, before any decoder sees it.

The name and the declared type of a file are never looked at: the client chooses both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

JPEG, PNG, WEBP, HEIF, AVIF = "JPEG", "PNG", "WEBP", "HEIF", "AVIF"
PICTURE_FORMATS = (JPEG, PNG, WEBP, HEIF, AVIF)

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)

# First bytes of files people do send, with the name to tell them. Order matters only within a
# prefix.
_KNOWN_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF or camera raw"),
    (b"MM\0*", "TIFF or camera raw"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"IIRO", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"\0\0\1\0", "icon (ICO)"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"v/1\1", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"qoif", "QOI"),
    (b"PK\3\4", "ZIP or office document"),
    (b"Rar!", "RAR archive"),
    (b"7z\xbc\xaf", "7z archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"\x1a\x45\xdf\xa3", "video"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """The first bytes' `decoder`, one of PICTURE_FORMATS, or None with the thing's `name`."""

    decoder: str | None
    name: str | None


def sniff(data: bytes) -> Kind:
    """The kind of file; `Kind(None, None)` where nothing is recognised."""
    if data.startswith(b"\xff\xd8\xff"):
        return Kind(JPEG, JPEG)
    if data.startswith(_PNG_SIGNATURE):
        return Kind(PNG, PNG)
    if data[:4] == b"RIFF":
        return Kind(WEBP, "WebP") if data[8:12] == b"WEBP" else Kind(None, "audio or video (RIFF)")
    if data[4:8] == b"ftyp":
        return _iso_media(data)
    for prefix, name in _KNOWN_OTHERS:
        if data.startswith(prefix):
            return Kind(None, name)
    return _text(data)


def _iso_media(data: bytes) -> Kind:
    """HEIC, AVIF, camera raw and films share one container; the brands in it tell which it is."""
    length = min(int.from_bytes(data[:4], "big"), 1024, len(data))
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, length - 3, 4)}
    if brands & _AVIF_BRANDS:
        return Kind(AVIF, AVIF)
    if b"crx " in brands:
        return Kind(None, "camera raw")
    if brands & _HEIF_BRANDS:
        return Kind(HEIF, "HEIC")
    return Kind(None, "video")


def _text(data: bytes) -> Kind:
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n\0").lower()
    if b"<svg" in head:
        return Kind(None, "SVG drawing")
    if head.startswith((b"<!doctype html", b"<html")) or b"<html" in head or b"<body" in head:
        return Kind(None, "web page")
    return Kind(None, None)


# In entropy-coded data a 0xFF is followed by 0 (stuffing) or a restart marker; anything else is a
# marker.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_SOS, _EOI = 0xDA, 0xD9


def count_jpeg_scans(data: bytes, stop_after: int) -> int:
    """How many scans the first image of a JPEG has, counting no further than `stop_after` + 1.

    Scans inside application segments (thumbnails) and behind the end of the image (MPO frames, the
    film of a motion photo) do not count. 0: the header is cut off before the first scan.
    """
    scans, at = 0, 2
    while scans <= stop_after:
        found = _NEXT_MARKER.search(data, at)
        if found is None:
            break
        marker, at = data[found.start() + 1], found.end()
        if marker == _EOI:
            break
        if marker in _STANDALONE:
            continue
        scans += marker == _SOS
        at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return scans


def webp_canvas(data: bytes) -> tuple[int, int] | None:
    """(width, height) from a WebP header, or None where it is not readable.

    Needed because libwebp's animation decoder allocates the canvas the moment it is made.
    Source: the WebP container specification and RFC 6386 section 9.1.
    """
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        return (
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
        )
    if chunk == b"VP8L" and len(data) >= 25 and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(data) >= 30:
        width, height = data[26:28], data[28:30]
        return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
    return None


def is_cut_short(data: bytes, decoder: str) -> bool:
    """Whether the container promises more bytes than there are."""
    if decoder == JPEG:
        return count_jpeg_scans(data, 0) == 0
    if decoder == PNG:
        return b"IEND" not in data[-4096:] and b"IEND" not in data
    if decoder == WEBP:
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    return _boxes_overrun(data)


def _boxes_overrun(data: bytes) -> bool:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return False
        at += max(8, size)
    return at > len(data)
