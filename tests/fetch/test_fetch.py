from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from imaging.fetch import (
    BadResponse,
    EmptyResponse,
    FetchError,
    FetchPolicy,
    NotAllowed,
    NotFound,
    Unreachable,
    fetch_image,
)
from tests.fetch.conftest import PUBLIC, Site, plain, redirect

URL = "http://good.example/a.jpg"


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
    with pytest.raises(BadResponse):
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
        ("204 No Content", BadResponse),
        ("206 Partial Content", BadResponse),
        ("302 Found", BadResponse),
        ("304 Not Modified", BadResponse),
        ("401 Unauthorized", NotAllowed),
        ("403 Forbidden", NotAllowed),
        ("404 Not Found", NotFound),
        ("410 Gone", NotFound),
        ("500 Internal Server Error", BadResponse),
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
    with pytest.raises(EmptyResponse):
        fetch_image(URL, policy=site.policy())
