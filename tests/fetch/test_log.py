"""What a link that was not fetched leaves in the log: its host and the reason, never its rest."""

from __future__ import annotations

import pytest

from imaging.fetch import FetchError, fetch_image
from tests.fetch.conftest import Site, plain, redirect

URL = "http://good.example/a.jpg?signature=secret"


@pytest.mark.parametrize(
    "location",
    [
        "http://other.example/path-secret?token=secret",
        "http://[secret/",
        "http://other.example:secret/",
        "http://user:secret@other.example/",
        "ftp://other.example/secret",
        "http://other.example/a\\secret",
        "/again?token=secret",
        "http://other.example/" + "secret" * 500,
    ],
)
def test_a_redirect_is_logged_without_its_path_query_and_user(
    site: Site, caplog: pytest.LogCaptureFixture, location: str
) -> None:
    caplog.set_level("INFO")
    site.answers["/a.jpg?signature=secret"] = redirect(location)

    with pytest.raises(FetchError):
        fetch_image(URL, policy=site.policy())

    assert "link refused" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        b"secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsecret",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
        b"HTTP/1.1 secret OK\r\n\r\n",
        plain(b"", status="500 secret"),
        plain(b"secret", status="404 secret"),
    ],
)
def test_what_a_faulty_server_sent_is_not_logged(
    site: Site, caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    caplog.set_level("INFO")
    site.answers["/a.jpg?signature=secret"] = answer

    with pytest.raises(FetchError):
        fetch_image(URL, policy=site.policy())

    assert "good.example" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@good.example/",
        "http://user:secret",
        "http://good.example:secret/",
        "http://[secret]/",
        "http://us\u2100er:secret@good.example/",
        "http://good.example/secret secret",
    ],
)
def test_a_link_with_a_password_in_it_is_not_logged(
    site: Site, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    caplog.set_level("INFO")

    with pytest.raises(FetchError):
        fetch_image(url, policy=site.policy())

    assert "link refused" in caplog.text
    assert "secret" not in caplog.text
