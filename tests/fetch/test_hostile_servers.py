"""Servers that lie, stall, drip, flood or cannot prove who they are."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from imaging.fetch import (
    BadResponse,
    FetchError,
    Insecure,
    TooLarge,
    TooSlow,
    fetch_image,
)
from tests.fetch.conftest import PUBLIC, Site, plain, redirect

URL = "http://good.example/a.jpg"


def drip(site: Site, piece: bytes, start: bytes = b"") -> Callable[[socket.socket], None]:
    """Send `piece` again and again, slower than any one read would give up."""

    def handler(connection: socket.socket) -> None:
        connection.sendall(start)
        while not site.stop.wait(0.05):
            connection.sendall(piece)

    return handler


def flood(site: Site, piece: bytes, start: bytes) -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        connection.sendall(start)
        while not site.stop.is_set():
            connection.sendall(piece)

    return handler


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "identity, gzip"])
def test_a_compressed_body_nobody_asked_for_is_refused(site: Site, coding: str) -> None:
    body = gzip.compress(b"picture")
    site.answers["/a.jpg"] = plain(body, headers=[f"Content-Encoding: {coding}"])
    with pytest.raises(BadResponse):
        fetch_image(URL, policy=site.policy())


@pytest.mark.parametrize(
    ("length", "error"),
    [
        ("10737418240", TooLarge),
        ("8", BadResponse),
        ("-1", BadResponse),
        ("seven", BadResponse),
        ("7\r\nContent-Length: 6", BadResponse),
    ],
)
def test_a_length_that_lies_is_refused(site: Site, length: str, error: type[FetchError]) -> None:
    site.answers["/a.jpg"] = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\npicture".encode()
    with pytest.raises(error):
        fetch_image(URL, policy=site.policy())


def test_a_body_of_exactly_the_cap_is_taken(site: Site) -> None:
    site.answers["/a.jpg"] = plain(b"x" * 1000)
    assert len(fetch_image(URL, policy=site.policy(max_bytes=1000)).data) == 1000


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1000\r\n" + b"x" * 4096 + b"\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFF\r\n", b"x" * 65536),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
            b"a: b\r\n" * 9999,
        ),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 4000),
    ],
    ids=["no-length", "chunked", "chunk-of-minus-one", "one-huge-chunk", "trailers", "continue"],
)
def test_an_endless_answer_is_cut_off_at_the_byte_cap(
    site: Site, start: bytes, piece: bytes
) -> None:
    site.answers["/a.jpg"] = flood(site, piece, start)
    with pytest.raises(TooLarge):
        fetch_image(URL, policy=site.policy(max_bytes=100_000))


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"", b"H"),
    ],
    ids=["body", "body-without-length", "chunks", "headers", "status-line"],
)
def test_a_dripping_answer_ends_at_the_deadline(site: Site, start: bytes, piece: bytes) -> None:
    site.answers["/a.jpg"] = drip(site, piece, start)
    with pytest.raises(TooSlow):
        fetch_image(URL, policy=site.policy(deadline_seconds=0.3))


def test_a_silent_server_ends_at_the_deadline(site: Site) -> None:
    def silent(connection: socket.socket) -> None:
        site.stop.wait(5)

    site.answers["/a.jpg"] = silent
    with pytest.raises(TooSlow):
        fetch_image(URL, policy=site.policy(deadline_seconds=0.2))


def test_a_look_up_without_end_is_given_up_at_the_deadline(site: Site) -> None:
    over = threading.Event()

    def stuck(host: str, port: int) -> Sequence[str]:
        over.wait(10)
        return [PUBLIC]

    try:
        with pytest.raises(TooSlow):
            fetch_image(URL, policy=site.policy(resolver=stuck, deadline_seconds=0.2))
    finally:
        over.set()


def test_redirects_share_one_deadline(site: Site) -> None:
    def late(connection: socket.socket) -> None:
        time.sleep(0.2)
        connection.sendall(redirect("/a.jpg"))

    site.answers["/a.jpg"] = late
    with pytest.raises(TooSlow):
        fetch_image(URL, policy=site.policy(deadline_seconds=0.5))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02garbage\r\n\r\n",
        b"<html>HTTP/0.9</html>",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ],
    ids=["nothing", "garbage", "http-0.9", "status", "headers", "chunk-size", "chunk-short"],
)
def test_broken_http_is_a_bad_answer(site: Site, answer: bytes) -> None:
    site.answers["/a.jpg"] = answer
    with pytest.raises(BadResponse):
        fetch_image(URL, policy=site.policy())


def test_over_tls_name_and_certificate_are_the_hosts_though_the_address_is_pinned(
    secure_site: Site, certificate: Path
) -> None:
    secure_site.answers["/a.jpg"] = plain(b"picture")
    policy = secure_site.policy(ca_file=str(certificate))
    assert fetch_image("https://good.example/a.jpg", policy=policy).data == b"picture"
    assert secure_site.dialled == [PUBLIC]
    assert "Host: good.example\r\n" in secure_site.requests[0]


def test_a_certificate_for_another_name_is_refused(secure_site: Site, certificate: Path) -> None:
    with pytest.raises(Insecure):
        fetch_image(
            "https://other.example/a.jpg", policy=secure_site.policy(ca_file=str(certificate))
        )
    assert secure_site.requests == []


def test_a_certificate_nobody_vouches_for_is_refused(secure_site: Site) -> None:
    with pytest.raises(Insecure):
        fetch_image("https://good.example/a.jpg", policy=secure_site.policy())
    assert secure_site.requests == []


def test_a_redirect_that_leaves_https_is_refused(secure_site: Site, certificate: Path) -> None:
    secure_site.answers["/a.jpg"] = redirect("http://good.example/b.jpg")
    with pytest.raises(Insecure):
        fetch_image(
            "https://good.example/a.jpg", policy=secure_site.policy(ca_file=str(certificate))
        )
    assert len(secure_site.dialled) == 1


def test_a_stalled_handshake_ends_at_the_deadline(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        site.port = silent.getsockname()[1]
        with pytest.raises(TooSlow):
            fetch_image("https://good.example/a.jpg", policy=site.policy(deadline_seconds=0.3))


def test_a_dripping_body_over_tls_ends_at_the_deadline(
    secure_site: Site, certificate: Path
) -> None:
    secure_site.answers["/a.jpg"] = drip(secure_site, b"x", b"HTTP/1.1 200 OK\r\n\r\n")
    policy = secure_site.policy(ca_file=str(certificate), deadline_seconds=0.4)
    with pytest.raises(TooSlow):
        fetch_image("https://good.example/a.jpg", policy=policy)


def test_certificates_are_always_verified(
    secure_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    with pytest.raises(Insecure) as caught:
        fetch_image("https://good.example/a.jpg", policy=secure_site.policy())
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
