"""Background work is bounded, ordered by the newest wish, and never hidden when it fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from sessions_app.errors import Unavailable
from sessions_app.inference.background import BackgroundExecutor, Debouncer

PATIENCE_SECONDS = 30


@pytest.fixture
def executor() -> Iterator[BackgroundExecutor]:
    one = BackgroundExecutor("test", max_items=3, max_bytes=100)
    yield one
    one.stop()


@pytest.fixture
def held(executor: BackgroundExecutor) -> Iterator[threading.Event]:
    """The thread is busy until the event is set."""
    go_on = threading.Event()
    executor.submit(lambda: go_on.wait(PATIENCE_SECONDS), label="something else")
    yield go_on
    go_on.set()


def test_more_items_than_the_bound_are_refused(
    executor: BackgroundExecutor, held: threading.Event
) -> None:
    taken = [executor.submit(lambda: 1, label=f"item {number}") for number in range(3)]

    assert [future is not None for future in taken] == [True, True, False]
    assert executor.state().items == 3


def test_more_bytes_than_the_bound_are_refused(
    executor: BackgroundExecutor, held: threading.Event
) -> None:
    first = executor.submit(lambda: 1, label="large", size=70)
    second = executor.submit(lambda: 1, label="too large", size=31)

    assert first is not None
    assert second is None
    assert executor.state().bytes == 70


def test_finished_work_makes_room_again(executor: BackgroundExecutor) -> None:
    for number in range(10):
        future = executor.submit(lambda: 1, label=f"item {number}", size=90)
        assert future is not None
        assert future.result(PATIENCE_SECONDS) == 1
        executor.wait_idle(PATIENCE_SECONDS)

    assert executor.state().items == 0


def test_a_refusal_is_logged_as_one_line_and_a_fault_with_its_traceback(
    executor: BackgroundExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise Unavailable("The store is away.")

    def fail() -> None:
        raise ZeroDivisionError("a fault")

    executor.submit(refuse, label="first")
    executor.submit(fail, label="second")
    executor.wait_idle(PATIENCE_SECONDS)

    refusal, fault = [record for record in caplog.records if record.threadName != "MainThread"]
    assert refusal.getMessage() == "test: first failed: The store is away."
    assert refusal.exc_info is None
    assert fault.getMessage() == "test: second failed"
    assert fault.exc_info is not None


def test_after_a_stop_nothing_is_begun() -> None:
    executor = BackgroundExecutor("test", max_items=3)
    executor.stop()

    assert executor.submit(lambda: 1, label="late") is None
    assert executor.state().items == 0


def test_a_stop_may_drop_what_waits() -> None:
    executor = BackgroundExecutor("test", max_items=3)
    go_on, ran = threading.Event(), threading.Event()
    executor.submit(lambda: go_on.wait(PATIENCE_SECONDS), label="first")
    executor.submit(ran.set, label="second")

    stopping = threading.Thread(target=lambda: executor.stop(cancel_waiting=True))
    stopping.start()
    while executor.state().items > 1:
        pass
    go_on.set()
    stopping.join(PATIENCE_SECONDS)

    assert not ran.is_set()


def test_only_the_newest_work_of_a_key_runs(
    executor: BackgroundExecutor, held: threading.Event
) -> None:
    debouncer: Debouncer[str] = Debouncer(executor, quiet_seconds=0.0, max_keys=4)
    ran: list[str] = []

    for work in ("old", "new"):
        debouncer.submit("wall", partial(ran.append, work), label=work)
    held.set()
    debouncer.wait_idle(PATIENCE_SECONDS)

    assert ran == ["new"]


def test_work_that_is_not_wanted_any_more_does_not_run(executor: BackgroundExecutor) -> None:
    debouncer: Debouncer[str] = Debouncer(executor, quiet_seconds=60.0, max_keys=4)
    ran: list[str] = []

    debouncer.submit("wall", lambda: ran.append("wall"), label="wall")
    debouncer.cancel("wall")
    debouncer.wait_idle(PATIENCE_SECONDS)

    assert ran == []


def test_of_too_many_keys_the_longest_waiting_is_dropped(
    executor: BackgroundExecutor, held: threading.Event
) -> None:
    debouncer: Debouncer[int] = Debouncer(executor, quiet_seconds=0.0, max_keys=1)
    ran: list[int] = []

    for key in (1, 2):
        debouncer.submit(key, partial(ran.append, key), label=str(key))
    held.set()
    debouncer.wait_idle(PATIENCE_SECONDS)

    assert ran == [2]
