"""A visitor of a running server, and photos to upload: what the benchmarks of `make run` share.

The client is as small as possible (one connection, no library above http.client), because it runs
on the same cores.
"""

from __future__ import annotations

import http.client
import io
import json
import time
from dataclasses import dataclass
from functools import lru_cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
from PIL import Image
from urllib3.filepost import encode_multipart_formdata

SAMPLE = Path(__file__).resolve().parent.parent / "static" / "samples" / "living-room.jpg"
# Where the sample's wall is, as shares of its width and height; clicks fall in between.
WALL = (0.05, 0.12, 0.55, 0.40)
TIMEOUT_SECONDS = 120.0
ORIENTATION, ROTATED_90 = 0x0112, 6
FOCAL_35MM, EXIF_IFD = 0xA405, 0x8769


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, and how many seconds after the request's last byte was handed over."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Visitor:
    """One browser: its cookies, and a connection that is kept."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._address = (address.hostname or "127.0.0.1", address.port or 80)
        self._connection: http.client.HTTPConnection | None = None
        self._cookies: dict[str, str] = {}
        self.get("/")  # brings the CSRF cookie

    def get(self, path: str) -> Response:
        """A page or a picture."""
        return self._send("GET", path, b"", {})

    def post(self, path: str, fields: dict[str, Any], *, htmx: bool = True) -> Response:
        """A form as htmx sends it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", path, urlencode(fields).encode(), self._with_csrf(headers, htmx))

    def upload(self, photo: bytes, *, path: str = "/upload/") -> Response:
        """The photo as the page's form sends it."""
        body, kind = encode_multipart_formdata({"file": ("room.jpg", photo, "image/jpeg")})
        return self._send("POST", path, body, self._with_csrf({"Content-Type": kind}, htmx=False))

    def create_session(self, photo: bytes) -> str:
        """Upload the photo; returns the address of its page.

        Raises RuntimeError when the server does not redirect to one.
        """
        answer = self.upload(photo)
        if answer.status != 302:
            raise RuntimeError(f"upload: {answer.status} {answer.body[:300]!r}")
        return answer.headers["location"]

    def click(self, room: str, at: tuple[int, int], label: int = 1) -> Response:
        """One click in photo pixels."""
        return self.post(f"{room}clicks/", {"x": at[0], "y": at[1], "label": label})

    def json(self, path: str) -> dict[str, Any]:
        """A GET of JSON."""
        found: dict[str, Any] = json.loads(self.get(path).body)
        return found

    def _with_csrf(self, headers: dict[str, str], htmx: bool) -> dict[str, str]:
        headers = {**headers, "X-CSRFToken": self._cookies.get("csrftoken", "")}
        return {**headers, "HX-Request": "true"} if htmx else headers

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Response:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {**headers, "Cookie": cookies}
        for is_last_try in (False, True):
            fresh = self._connection is None
            connection = self._connection or http.client.HTTPConnection(
                *self._address, timeout=TIMEOUT_SECONDS
            )
            try:
                connection.request(method, path, body or None, headers)
                sent = time.perf_counter()
                response = connection.getresponse()
                content = response.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A kept connection may have ended since; a new one that ends is a fault of the
                # server's.
                connection.close()
                self._connection = None
                if fresh or is_last_try:
                    raise
                continue
            seconds = time.perf_counter() - sent
            break
        self._connection = None if response.will_close else connection
        for value in response.headers.get_all("Set-Cookie") or []:
            self._cookies.update((name, m.value) for name, m in SimpleCookie(value).items())
        found = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status, found, content, seconds)


@lru_cache(maxsize=4)
def _enlarged(size: tuple[int, int]) -> np.ndarray:
    with Image.open(SAMPLE) as image:
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))


def phone_photo(seed: int, *, megapixels: float = 12.0) -> tuple[bytes, tuple[int, int]]:
    """A photo as a phone writes it, and its upright (width, height): every seed is another photo.

    Our sample room enlarged, with a sensor's noise; a JPEG taken sideways, as its EXIF says.
    """
    scale = (megapixels * 1e6 / 12.0) ** 0.5 / 1000
    size = (round(4000 * scale), round(3000 * scale))
    rng = np.random.default_rng(seed)
    rows = 64  # a strip of noise, laid again and again: noise of 12 megapixels takes a second
    strip = rng.normal(0, 4, (rows, size[0], 3)).astype(np.int16)
    noise = np.tile(strip, (-(-size[1] // rows), 1, 1))[: size[1]]
    pixels = np.clip(_enlarged(size) + noise, 0, 255).astype(np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = ROTATED_90
    exif.get_ifd(EXIF_IFD)[FOCAL_35MM] = 26
    data = io.BytesIO()
    sideways = np.ascontiguousarray(np.rot90(pixels))
    Image.fromarray(sideways).save(data, "JPEG", quality=92, exif=exif)
    return data.getvalue(), size


def random_wall_point(rng: np.random.Generator, size: tuple[int, int]) -> tuple[int, int]:
    """Somewhere on the wall of `phone_photo`."""
    x0, y0, x1, y1 = WALL
    return int(rng.uniform(x0, x1) * size[0]), int(rng.uniform(y0, y1) * size[1])
