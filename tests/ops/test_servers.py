"""The servers the tests rely on are real: they answer, and the strict ones refuse."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from pytest_socket import SocketConnectBlockedError

from sessions_app.queueing import redis_client as valkey_client
from tests.harness.servers import S3Server


@pytest.mark.redis
def test_the_settings_point_at_the_tests_own_valkey() -> None:
    assert valkey_client.reachable()


@pytest.mark.redis
def test_valkey_is_empty_at_the_start_of_each_test() -> None:
    assert valkey_client.client().dbsize() == 0
    valkey_client.set_bytes("left-behind", b"x", seconds=60)


@pytest.mark.redis
def test_valkey_is_empty_again_after_a_test_that_wrote() -> None:
    assert valkey_client.client().dbsize() == 0
    valkey_client.set_bytes("left-behind", b"x", seconds=60)


@pytest.mark.s3
def test_the_s3_server_keeps_an_object_and_lends_it_by_signed_link(s3_storage: Any) -> None:
    name = s3_storage.save("a/photo.png", ContentFile(b"pixels"))

    with urllib.request.urlopen(s3_storage.url(name), timeout=10) as answer:
        assert answer.read() == b"pixels"


@pytest.mark.s3
def test_the_s3_server_refuses_an_unsigned_request(s3_storage: Any, s3_server: S3Server) -> None:
    name = s3_storage.save("a/photo.png", ContentFile(b"pixels"))

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{s3_server.endpoint}/{s3_server.bucket}/{name}", timeout=10)

    assert refused.value.code in {400, 401, 403}
    refused.value.close()


@pytest.mark.postgres
def test_postgresql_answers(postgres_server: str) -> None:
    import dj_database_url

    parts = dj_database_url.parse(postgres_server)
    with psycopg.connect(host=parts["HOST"], user=parts["USER"], dbname=parts["NAME"]) as link:
        assert link.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.filterwarnings("ignore:A test tried to use socket:UserWarning")
def test_no_test_reaches_the_internet() -> None:
    with (
        socket.socket() as outside,
        pytest.raises(SocketConnectBlockedError),
    ):
        outside.connect(("203.0.113.1", 80))


def test_no_test_uses_the_developers_data_folder() -> None:
    assert "wallpaper-test-" in str(settings.WALLPAPER_HOME)
