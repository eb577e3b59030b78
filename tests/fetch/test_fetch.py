from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from jobs.fetch import (
    BadAnswer,
    EmptyAnswer,
    FetchError,
    FetchPolicy,
    Insecure,
    NotAllowed,
    NotFound,
    TooLarge,
    TooSlow,
    Unreachable,
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


def test_a_picture_is_fetched(site: Site) -> None:
    site.answers["/a.jpg"] = plain(b"picture")
    fetched = fetch_image(URL, policy=site.policy())
    assert (fetched.data, fetched.url) == (b"picture", URL)


def test_a_chunked_picture_is_fetched(site: Site) -> None:
    site.answers["/a.jpg"] = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npict\r\n3\r\nure\r\n0\r\n\r\n"
    )
    assert fetch_image(URL, policy=site.policy()).data == b"picture"


def test_a_picture_without_length_or_type_is_fetched(site: Site) -> None:
    site.answers["/a.jpg"] = b"HTTP/1.0 200 OK\r\n\r\npicture"
    assert fetch_image(URL, policy=site.policy()).data == b"picture"


def test_the_request_tells_nothing_but_what_is_needed(site: Site) -> None:
    site.answers["/a.jpg"] = plain(b"picture")
    fetch_image(URL, policy=site.policy())
    names = {line.split(":")[0] for line in site.requests[0].splitlines()[1:] if line}
    assert names == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
    assert "Host: good.example\r\n" in site.requests[0]
    assert "Accept-Encoding: identity\r\n" in site.requests[0]


def test_proxies_named_in_the_environment_are_not_used(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    site.answers["/a.jpg"] = plain(b"picture")
    fetch_image(URL, policy=site.policy())
    assert site.dialled == [PUBLIC]


def test_a_name_is_looked_up_once_and_the_connection_goes_to_that_answer(site: Site) -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    site.answers["/a.jpg"] = plain(b"picture")
    fetch_image(URL, policy=site.policy(resolver=rebinding))
    assert site.dialled == ["93.184.216.34"]
    assert next(answers) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["127.0.0.1"],
        ["169.254.169.254"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        ["64:ff9b::7f00:1"],
        ["::ffff:10.0.0.1"],
        ["fe80::1%eth0"],
        [],
    ],
)
def test_a_name_with_any_private_answer_is_refused_before_a_packet(
    site: Site, addresses: list[str]
) -> None:
    site.names["good.example"] = addresses
    with pytest.raises(Unreachable):
        fetch_image(URL, policy=site.policy())
    assert site.dialled == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1./",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://168.63.129.16/",
        "http://0.0.0.0/",
        "http://localhost/",
        "http://2130706433/",
        "http://redis:80/",
    ],
)
def test_a_private_host_is_neither_looked_up_nor_dialled(site: Site, url: str) -> None:
    with pytest.raises(Unreachable):
        fetch_image(url, policy=site.policy())
    assert (site.looked_up, site.dialled) == ([], [])


def test_private_unknown_and_closed_look_the_same_to_the_user(site: Site) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    def closed(address: str, port: int, timeout: float) -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    site.names["inner.example"] = ["10.0.0.1"]
    seen = set()
    for url, policy in [
        ("http://127.0.0.1/", site.policy()),
        ("http://inner.example/", site.policy()),
        (URL, site.policy(resolver=unknown)),
        (URL, site.policy(dial=closed)),
    ]:
        with pytest.raises(FetchError) as caught:
            fetch_image(url, policy=policy)
        seen.add((caught.value.code, caught.value.user_message))
    assert len(seen) == 1


def test_our_own_name_is_not_fetched(site: Site) -> None:
    with pytest.raises(Unreachable):
        fetch_image(URL, policy=site.policy(refused_hosts=frozenset({"good.example"})))
    assert site.looked_up == []


def test_the_next_address_is_tried_where_the_first_does_not_answer(site: Site) -> None:
    site.names["good.example"] = ["2606:4700::1", PUBLIC]
    site.answers["/a.jpg"] = plain(b"picture")

    def dial(address: str, port: int, timeout: float) -> socket.socket:
        if ":" in address:
            raise OSError("no route")
        return site.dial(address, port, timeout)

    assert fetch_image(URL, policy=site.policy(dial=dial)).data == b"picture"


def test_an_intranet_policy_dials_loopback_for_real(site: Site) -> None:
    site.answers["/a.jpg"] = plain(b"picture")
    policy = FetchPolicy(allow_private=True, allowed_ports=frozenset({site.port}))
    url = f"http://127.0.0.1:{site.port}/a.jpg"
    assert fetch_image(url, policy=policy).data == b"picture"


def test_the_default_resolver_works_on_this_machine(site: Site) -> None:
    site.answers["/a.jpg"] = plain(b"picture")
    policy = FetchPolicy(allow_private=True, allowed_ports=frozenset({site.port}))
    assert fetch_image(f"http://localhost:{site.port}/a.jpg", policy=policy).data == b"picture"


def test_redirects_are_followed_and_the_last_link_is_named(site: Site) -> None:
    site.answers |= {
        "/a.jpg": redirect("/b.jpg", "301 Moved Permanently"),
        "/b.jpg": redirect("//cdn.example/c.jpg", "307 Temporary Redirect"),
        "/c.jpg": redirect("http://cdn.example/d.jpg", "308 Permanent Redirect"),
        "/d.jpg": plain(b"picture"),
    }
    fetched = fetch_image(URL, policy=site.policy())
    assert fetched.url == "http://cdn.example/d.jpg"
    assert site.looked_up == ["good.example", "good.example", "cdn.example", "cdn.example"]


def test_a_redirect_loop_ends_after_three(site: Site) -> None:
    site.answers["/a.jpg"] = redirect("/a.jpg")
    with pytest.raises(BadAnswer):
        fetch_image(URL, policy=site.policy())
    assert len(site.requests) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/",
        "//127.0.0.1/",
        "http://inner.example/",
        "file:///etc/passwd",
        "http://good.example:6379/",
        "/" + "a" * 50_000,
    ],
)
def test_a_redirect_astray_sends_no_second_request(site: Site, location: str) -> None:
    site.names["inner.example"] = ["10.0.0.1"]
    site.answers["/a.jpg"] = redirect(location)
    with pytest.raises(FetchError):
        fetch_image(URL, policy=site.policy())
    assert len(site.requests) == len(site.dialled) == 1


def test_a_refresh_header_is_not_followed(site: Site) -> None:
    site.answers["/a.jpg"] = plain(b"picture", headers=["Refresh: 0; url=http://127.0.0.1/"])
    fetch_image(URL, policy=site.policy())
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("204 No Content", BadAnswer),
        ("206 Partial Content", BadAnswer),
        ("302 Found", BadAnswer),
        ("304 Not Modified", BadAnswer),
        ("401 Unauthorized", NotAllowed),
        ("403 Forbidden", NotAllowed),
        ("404 Not Found", NotFound),
        ("410 Gone", NotFound),
        ("500 Internal Server Error", BadAnswer),
    ],
)
def test_a_status_other_than_200_is_a_clear_refusal(
    site: Site, status: str, error: type[FetchError]
) -> None:
    site.answers["/a.jpg"] = plain(b"", status=status)
    with pytest.raises(error):
        fetch_image(URL, policy=site.policy())


def test_an_empty_body_is_refused(site: Site) -> None:
    site.answers["/a.jpg"] = plain(b"")
    with pytest.raises(EmptyAnswer):
        fetch_image(URL, policy=site.policy())


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "identity, gzip"])
def test_a_compressed_body_nobody_asked_for_is_refused(site: Site, coding: str) -> None:
    body = gzip.compress(b"picture")
    site.answers["/a.jpg"] = plain(body, headers=[f"Content-Encoding: {coding}"])
    with pytest.raises(BadAnswer):
        fetch_image(URL, policy=site.policy())


@pytest.mark.parametrize(
    ("length", "error"),
    [
        ("10737418240", TooLarge),
        ("8", BadAnswer),
        ("-1", BadAnswer),
        ("seven", BadAnswer),
        ("7\r\nContent-Length: 6", BadAnswer),
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
    with pytest.raises(BadAnswer):
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
