from __future__ import annotations

import pytest

from imaging.fetch.errors import FetchError, Insecure, InvalidLink, Unreachable
from imaging.fetch.url import Link, parse_link, parse_redirect

WEB = frozenset({80, 443})


def read(text: str) -> Link:
    return parse_link(text, ports=WEB)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "room.jpg",
        "example.com/room.jpg",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/a.jpg",
        "data:image/png;base64,AAAA",
        "blob:https://example.com/1",
        "javascript:alert(1)",
        "http:///nothing",
        "http://",
        "http://user:pw@example.com/",
        "http://good.example@127.0.0.1/",
        "http://127.0.0.1:80@good.example/",
        "http://good.example\\@127.0.0.1/",
        "http://good.example/a b.jpg",
        "http://good.example/a\x00.jpg",
        "http://good.example/a\r\nX-Injected: 1",
        "http://good\t.example/",
        "http://good%00.example/",
        "http://good.example:0/",
        "http://good.example:65536/",
        "http://good.example:80abc/",
        "http://good.example:22/",
        "http://good.example:6379/",
        "http://good..example/",
        "http://-bad.example/",
        "http://[::1/",
        "http://[1::2::3]/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://good.example/" + "a" * 10_000,
    ],
)
def test_a_malformed_or_odd_link_is_refused(text: str) -> None:
    with pytest.raises(InvalidLink):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0x1/",
        "http://0177.0.0.1/",
        "http://0/",
        "http://1.2.3.4.5/",
        "http://[::1%25eth0]/",
        "http://metadata.google.internal/",
        "http://redis/",
        "http://printer.local/",
        "http://LOCALHOST./",
        "http://a.home.arpa/",
    ],
)
def test_a_host_that_is_private_or_numeric_by_its_spelling_is_unreachable(text: str) -> None:
    with pytest.raises(Unreachable):
        read(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://93.184.216.34/", "93.184.216.34"),
        ("http://127.0.0.1./", "127.0.0.1"),
        ("http://[2606:4700:0::1]/", "2606:4700::1"),
        ("http://[::FFFF:127.0.0.1]:80/", "::ffff:7f00:1"),
    ],
)
def test_an_address_is_recognised_as_one(text: str, host: str) -> None:
    link = read(text)
    assert link.is_address
    assert link.host == host


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("  HTTP://Good.Example./a.jpg\n", "http://good.example/a.jpg"),
        ("http://good.example", "http://good.example/"),
        ("http://good.example:443/a", "http://good.example:443/a"),
        ("https://good.example:443/a", "https://good.example/a"),
        ("http://good.example/a.jpg?w=1&h=2#part", "http://good.example/a.jpg?w=1&h=2"),
        ("http://good.example#@127.0.0.1/", "http://good.example/"),
        (
            "http://good.example/papier%20peint",
            "http://good.example/papier%20peint",
        ),
        ("http://good.example/blüte.jpg", "http://good.example/bl%C3%BCte.jpg"),
        ("http://blüte.example/", "http://xn--blte-1ra.example/"),
        ("http://[2606:4700::1]/a", "http://[2606:4700::1]/a"),
    ],
)
def test_a_link_is_put_together_anew_from_its_parts(text: str, url: str) -> None:
    assert read(text).url == url


def test_an_intranet_policy_lets_single_names_in() -> None:
    assert parse_link("http://pictures/a.jpg", ports=WEB, allow_private=True).host == "pictures"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b.jpg", "http://good.example/b.jpg"),
        ("c.jpg", "http://good.example/folder/c.jpg"),
        ("//cdn.example/d.jpg", "http://cdn.example/d.jpg"),
        ("https://good.example/e.jpg", "https://good.example/e.jpg"),
        ("/bl\xc3\xbcte.jpg", "http://good.example/bl%C3%BCte.jpg"),
    ],
)
def test_a_redirect_is_read_against_the_link_it_came_from(location: str, url: str) -> None:
    start = read("http://good.example/folder/a.jpg")
    assert parse_redirect(location, start, ports=WEB).url == url


@pytest.mark.parametrize(
    "location", ["", "file:///etc/passwd", "http://[", "/" + "a" * 100_000, "/a b", "http://db/"]
)
def test_a_redirect_astray_is_refused(location: str) -> None:
    with pytest.raises(FetchError):
        parse_redirect(location, read("http://good.example/"), ports=WEB)


def test_a_redirect_from_https_to_http_is_refused() -> None:
    with pytest.raises(Insecure):
        parse_redirect("http://good.example/", read("https://good.example/"), ports=WEB)
