"""Stand-ins for image services, on loopback, strict about their contract.

A request with a field too many, a field missing, a wrong type, a wrong size or a wrong key is
answered with an error and remembered in `complaints`. `faults` are used up one by one, one per
request of the main kind; after that all is well.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

from tests.harness.factories import as_file

Fault = Callable[["Exchange"], None]


def picture_of(text: Any) -> Image.Image:
    """The picture in base64 or in a data URL. Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError("a picture must be text")
    try:
        data = base64.b64decode(text.partition("base64,")[2] or text, validate=True)
        return Image.open(io.BytesIO(data), formats=["PNG"])
    except (binascii.Error, OSError) as error:
        raise ValueError(f"not a picture: {error}") from error


def brighter(image: Image.Image) -> np.ndarray:
    """What the services make of a picture: everything ten steps brighter."""
    pixels = np.asarray(image.convert("RGB")).astype(int)
    return np.asarray(np.clip(pixels + 10, 0, 255), np.uint8)


@dataclass
class Exchange:
    """One request and the means to answer it."""

    handler: BaseHTTPRequestHandler
    path: str
    body: bytes
    released: threading.Event

    def json(self, data: Any, status: int = 200, **headers: Any) -> None:
        self.send(json.dumps(data).encode(), status, **headers)

    def send(
        self, body: bytes, status: int = 200, *, length: int | None = None, **headers: Any
    ) -> None:
        self.handler.send_response(status)
        self.handler.send_header("Content-Length", str(len(body) if length is None else length))
        self.handler.send_header("Connection", "close")
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def header(self, name: str) -> str:
        return str(self.handler.headers.get(name, ""))


@dataclass
class Double:
    """What both services have in common."""

    authorization: str = ""
    faults: list[Fault] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle(self, exchange: Exchange) -> None:
        method = exchange.handler.command
        with self.lock:
            self.asked.append(f"{method} {exchange.path}")
        if self.guarded(exchange.path) and exchange.header("Authorization") != self.authorization:
            self.complaints.append("wrong authorization")
            exchange.json({"detail": "Unauthenticated"}, 401)
            return
        try:
            self.route(method, exchange)
        except ValueError as error:
            self.complaints.append(str(error))
            exchange.json({"detail": str(error)}, 422)

    def guarded(self, path: str) -> bool:
        return True

    def route(self, method: str, exchange: Exchange) -> None:
        raise ValueError(f"no such address: {method} {exchange.path}")

    def next_fault(self) -> Fault | None:
        with self.lock:
            return self.faults.pop(0) if self.faults else None


def checked(data: Any, required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    """`data` with all required fields, no others, and the right types. Raises ValueError."""
    if not isinstance(data, dict):
        raise ValueError("the body must be an object")
    if missing := required.keys() - data.keys():
        raise ValueError(f"missing: {sorted(missing)}")
    if unknown := data.keys() - required.keys() - optional.keys():
        raise ValueError(f"unknown: {sorted(unknown)}")
    for name, value in data.items():
        kind = (required | optional)[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{name} has the wrong type: {value!r:.40}")
    return data


NUMBER = (int, float)
IMG2IMG = {
    "init_images": list,
    "mask": str,
    "width": int,
    "height": int,
    "prompt": str,
    "denoising_strength": NUMBER,
}
IMG2IMG_OPTIONAL = {
    "negative_prompt": str,
    "steps": int,
    "cfg_scale": NUMBER,
    "seed": int,
    "batch_size": int,
    "n_iter": int,
    "mask_blur": int,
    "inpainting_fill": int,
    "inpaint_full_res": bool,
    "inpainting_mask_invert": int,
    "resize_mode": int,
    "sampler_name": str,
    "send_images": bool,
    "save_images": bool,
    "alwayson_scripts": dict,
}


@dataclass
class Automatic1111Double(Double):
    """`POST /sdapi/v1/img2img` and `/sdapi/v1/interrupt`."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    interrupts: int = 0

    def route(self, method: str, exchange: Exchange) -> None:
        if (method, exchange.path) == ("POST", "/sdapi/v1/interrupt"):
            self.interrupts += 1
            exchange.json({})
        elif (method, exchange.path) == ("POST", "/sdapi/v1/img2img"):
            with self.lock:
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                self.img2img(exchange)
            finally:
                with self.lock:
                    self.at_once -= 1
        else:
            raise ValueError(f"no such address: {method} {exchange.path}")

    def img2img(self, exchange: Exchange) -> None:
        body = checked(json.loads(exchange.body), IMG2IMG, IMG2IMG_OPTIONAL)
        size = (body["width"], body["height"])
        if size[0] % 8 or size[1] % 8:
            raise ValueError(f"{size} are not multiples of 8")
        if len(body["init_images"]) != 1 or picture_of(body["init_images"][0]).size != size:
            raise ValueError("one picture of the size named")
        mask = picture_of(body["mask"])
        if mask.size != size or mask.mode != "L":
            raise ValueError(f"a grey mask of {size}, not {mask.mode} {mask.size}")
        if not 0 < body["denoising_strength"] <= 1:
            raise ValueError("denoising_strength")
        self.bodies.append(body)
        fault = self.next_fault()
        if fault is not None:
            fault(exchange)
            return
        answer = as_file(brighter(picture_of(body["init_images"][0])))
        exchange.json(images(answer))


def images(*files: bytes) -> dict[str, Any]:
    """An answer of img2img with these files."""
    return {
        "images": [base64.b64encode(data).decode() for data in files],
        "parameters": {},
        "info": "",
    }


PREDICTION_INPUT = {
    "image": str,
    "mask": str,
    "prompt": str,
    "negative_prompt": str,
    "prompt_strength": NUMBER,
    "width": int,
    "height": int,
    "seed": int,
}
VERSION = "f" * 64
WEBHOOK_EVENTS = {"start", "output", "logs", "completed"}


@dataclass
class ReplicateDouble(Double):
    """Files, predictions and the host of results; `statuses` of one prediction, poll by poll."""

    statuses: list[str] = field(default_factory=lambda: ["starting", "processing", "succeeded"])
    input_fields: dict[str, Any] = field(default_factory=lambda: dict(PREDICTION_INPUT))
    error: str = ""
    output: Any = "http://replicate.delivery/out.png"
    result: Callable[[Exchange], None] | None = None
    poll_faults: list[Fault] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)
    polls: dict[str, int] = field(default_factory=dict)
    made: bytes = b""

    def guarded(self, path: str) -> bool:
        return path.startswith("/v1/")

    def route(self, method: str, exchange: Exchange) -> None:
        path = exchange.path
        if (method, path) == ("POST", "/v1/files"):
            self.upload(exchange)
        elif method == "POST" and path in ("/v1/predictions", "/v1/models/own/er/predictions"):
            self.create(exchange, versioned=path == "/v1/predictions")
        elif method == "POST" and path.endswith("/cancel"):
            self.canceled.append(path.split("/")[3])
            exchange.json(self.told(path.split("/")[3], "canceled"))
        elif method == "GET" and path.startswith("/v1/predictions/"):
            self.poll(exchange, path.split("/")[3])
        elif method == "GET" and path.startswith("/out"):
            assert not exchange.header("Authorization")
            (self.result or (lambda e: e.send(self.made)))(exchange)
        else:
            raise ValueError(f"no such address: {method} {path}")

    def upload(self, exchange: Exchange) -> None:
        head = f"Content-Type: {exchange.header('Content-Type')}\r\n\r\n".encode()
        parts = message_from_bytes(head + exchange.body).get_payload()
        if not isinstance(parts, list) or len(parts) != 1:
            raise ValueError("one part was expected")
        part = parts[0]
        if not isinstance(part, Message):
            raise ValueError("a part with headers was expected")
        if part.get_param("name", header="content-disposition") != "content":
            raise ValueError("the part must be called content")
        if part.get_content_type() != "image/png":
            raise ValueError("the part must say what it is")
        link = f"https://api.replicate.com/v1/files/{len(self.uploads)}"
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        self.uploads[link] = content
        exchange.json({"id": str(len(self.uploads)), "urls": {"get": link}}, 201)

    def create(self, exchange: Exchange, *, versioned: bool) -> None:
        if not exchange.header("Prefer").startswith("wait="):
            raise ValueError("Prefer")
        life = exchange.header("Cancel-After")
        if not (life.endswith("s") and life[:-1].isdigit() and int(life[:-1]) >= 5):
            raise ValueError(f"Cancel-After: {life!r}")
        required: dict[str, Any] = {"input": dict} | ({"version": str} if versioned else {})
        optional = {"webhook": str, "webhook_events_filter": list}
        body = checked(json.loads(exchange.body), required, optional)
        if not body.get("webhook", "https://").startswith("https://"):
            raise ValueError("webhook must be https")
        if unknown := set(body.get("webhook_events_filter", ())) - WEBHOOK_EVENTS:
            raise ValueError(f"webhook_events_filter: {unknown}")
        if versioned and body["version"] != VERSION:
            raise ValueError("no such version")
        given = checked(body["input"], self.input_fields, {})
        size = (given["width"], given["height"])
        image, mask = self.opened(given["image"]), self.opened(given["mask"])
        if image.size != size or mask.size != size or mask.mode != "L":
            raise ValueError(f"picture {image.size} and mask {mask.mode} {mask.size} for {size}")
        fault = self.next_fault()
        if fault is not None:
            fault(exchange)
            return
        self.made = self.made or as_file(brighter(image))
        self.created.append(body)
        prediction = f"prediction{len(self.created)}"
        self.polls[prediction] = 0
        exchange.json(self.told(prediction, self.statuses[0]), 201)

    def opened(self, text: str) -> Image.Image:
        if text.startswith("data:image/png;base64,"):
            return picture_of(text)
        if text not in self.uploads:
            raise ValueError(f"no such file: {text[:60]}")
        return Image.open(io.BytesIO(self.uploads[text]), formats=["PNG"])

    def poll(self, exchange: Exchange, prediction: str) -> None:
        if prediction not in self.polls:
            exchange.json({"detail": "Not found"}, 404)
        elif self.poll_faults:
            self.poll_faults.pop(0)(exchange)
        else:
            self.polls[prediction] = min(self.polls[prediction] + 1, len(self.statuses) - 1)
            exchange.json(self.told(prediction, self.statuses[self.polls[prediction]]))

    def told(self, prediction: str, status: str) -> dict[str, Any]:
        return {
            "id": prediction,
            "status": status,
            "output": self.output if status == "succeeded" else None,
            "error": self.error if status == "failed" else None,
            "logs": "",
            # A client that follows these with its key in hand gives the key away.
            "urls": {"get": "http://elsewhere.example/x", "cancel": "http://elsewhere.example/y"},
        }


@contextmanager
def serving(double: Double) -> Iterator[None]:
    """The double on a loopback port, for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            with suppress(ConnectionError):
                double.handle(Exchange(self, self.path, body, double.released))

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    double.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        double.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


# --- faults --------------------------------------------------------------------------------------


def status(code: int, text: str = '{"detail": "no"}', **headers: Any) -> Fault:
    """An answer of this status."""
    return lambda exchange: exchange.send(text.encode(), code, **headers)


def raw(body: bytes) -> Fault:
    """200 with these bytes."""
    return lambda exchange: exchange.send(body)


def cut_short(exchange: Exchange) -> None:
    """200 that promises more than it sends."""
    exchange.send(b'{"images": ["', length=5000)


def hang(exchange: Exchange) -> None:
    """No answer until the test is over."""
    exchange.released.wait(30)
