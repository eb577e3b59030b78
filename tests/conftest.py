"""What all tests share: an environment of their own, real servers on demand, and skips that say
why.
"""

from __future__ import annotations

from tests.harness import environment

HOME = environment.isolate()

import os  # noqa: E402
import shutil  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import AbstractContextManager, ExitStack, contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, TypeVar  # noqa: E402

import django  # noqa: E402
import hypothesis  # noqa: E402
import pytest  # noqa: E402
from django.conf import settings as django_settings  # noqa: E402

# Templates may name static files without `collectstatic` having run.
django_settings.STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
Path(django_settings.STATIC_ROOT).mkdir()  # WhiteNoise warns of a missing one
django.setup()
# pytest-xdist's workers inherit the environment, and pytest-django would read the settings there
# before this file.
del os.environ["DJANGO_SETTINGS_MODULE"]

from django.core.files.storage import default_storage  # noqa: E402

from tests.harness import servers  # noqa: E402
from tests.harness.stack import Stack, start_stack  # noqa: E402
from wallpaper import embedded  # noqa: E402

# The same examples each time, and no verdict by the clock: a busy machine is not a fault of the
# code.
hypothesis.settings.register_profile("product", deadline=None, derandomize=True)
hypothesis.settings.load_profile("product")

Server = TypeVar("Server")
WEIGHTS_MISSING = "the SAM weights are not there; `make setup` fetches them"
SHARED_MISSING = "the development data (../shared) is not beside this checkout"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Markers do what they say: `model` and `shared` skip where the files are absent, `redis`
    brings the server.
    """
    for item in items:
        if item.get_closest_marker("model") and "SAM_MODEL_DIR" not in os.environ:
            item.add_marker(pytest.mark.skip(reason=WEIGHTS_MISSING))
        if item.get_closest_marker("shared") and not environment.SHARED.is_dir():
            item.add_marker(pytest.mark.skip(reason=SHARED_MISSING))
        names = getattr(item, "fixturenames", None)
        if names is not None and item.get_closest_marker("redis") and "valkey" not in names:
            names.insert(0, "valkey")
    # Files with slow tests come first, so that no process of several is left with one of them at
    # the end.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _no_files_left_behind() -> Iterator[None]:
    """Photos and results of one test are not seen by the next."""
    yield
    media = Path(django_settings.MEDIA_ROOT)
    if media.exists():
        shutil.rmtree(media)


@pytest.fixture(autouse=True)
def _nothing_prefetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Walls are prepared when a test asks for them, not in a thread that outlives it."""
    monkeypatch.setattr("sessions_app.services.prefetch.prefetch", lambda _session: None)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return environment.ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data beside the checkout; for tests marked `shared`."""
    if not environment.SHARED.is_dir():
        pytest.skip(SHARED_MISSING)
    return environment.SHARED / "data"


@pytest.fixture(scope="session")
def sam_weights() -> Path:
    """The folder with the prepared SAM model; for tests marked `model`."""
    if "SAM_MODEL_DIR" not in os.environ:
        pytest.skip(WEIGHTS_MISSING)
    return Path(os.environ["SAM_MODEL_DIR"])


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    """A real Valkey, the one the settings of this process point at; yields its URL."""
    with servers.valkey(embedded.valkey_socket(HOME)) as url:
        yield url


@pytest.fixture
def valkey(valkey_server: str) -> str:
    """The Valkey, emptied; yields its URL. Brought by the marker `redis` as well."""
    from sessions_app.queueing.redis_client import client

    client().flushall()
    return valkey_server


@contextmanager
def _or_skip(block: AbstractContextManager[Server]) -> Iterator[Server]:
    """The server's block; where the server is not installed, the tests that ask for it skip and say
    why.
    """
    with ExitStack() as stack:
        try:
            server = stack.enter_context(block)
        except servers.NotInstalled as missing:
            pytest.skip(str(missing))
        yield server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.S3Server]:
    """A real S3 server with an empty bucket."""
    with _or_skip(servers.s3(tmp_path_factory.mktemp("s3") / "buckets")) as server:
        yield server


@pytest.fixture
def s3_storage(s3_server: servers.S3Server, settings: Any, request: pytest.FixtureRequest) -> Any:
    """`default_storage` on the S3 server, below a folder of this test; yields the storage."""
    settings.S3_BUCKET = s3_server.bucket
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "sessions_app.storage.s3.PrivateS3Storage",
            "OPTIONS": {
                "bucket_name": s3_server.bucket,
                "endpoint_url": s3_server.endpoint,
                "region_name": "us-east-1",
                "access_key": s3_server.access_key,
                "secret_key": s3_server.secret_key,
                "addressing_style": "path",
                "location": f"test-{time.time_ns()}",
            },
        },
    }
    return default_storage


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL; yields a DATABASE_URL. Skips where it is not installed."""
    with _or_skip(servers.postgres()) as url:
        yield url


@pytest.fixture(scope="session")
def live_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product as `make run` starts it, on a free port with a data folder of its own."""
    with start_stack(tmp_path_factory.mktemp("stack") / "home") as stack:
        yield stack
