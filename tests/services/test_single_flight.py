"""Who asks for what is being made gets it when it is there; nobody makes it a second time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sessions_app.inference.single_flight import SingleFlight


class Slow:
    """Makes something once it is let; counts how often it was asked to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        self.calls = 0
        self.error = error

    def __call__(self) -> str:
        self.calls += 1
        self.begun.set()
        assert self.let.wait(10)
        if self.error is not None:
            raise self.error
        return "made"


def never() -> str:
    raise AssertionError("made a second time")


def test_who_asks_meanwhile_gets_the_same_answer() -> None:
    flight: SingleFlight[str, str] = SingleFlight()
    slow = Slow()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flight.get_or_make, "wall", slow)
        assert slow.begun.wait(10)
        # Whichever thread comes late finds the flight on its way: it ends only when it is let.
        second = pool.submit(flight.get_or_make, "wall", never)
        with pytest.raises(TimeoutError):
            second.result(0.3)
        slow.let.set()

        assert (first.result(10), second.result(10)) == ("made", "made")
    assert slow.calls == 1


def test_another_key_waits_for_nobody() -> None:
    flight: SingleFlight[str, str] = SingleFlight()
    slow = Slow()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flight.get_or_make, "wall", slow)
        assert slow.begun.wait(10)

        assert flight.get_or_make("other", lambda: "at once") == "at once"

        slow.let.set()
        first.result(10)


def test_after_an_error_the_next_one_tries_again() -> None:
    flight: SingleFlight[str, str] = SingleFlight()
    slow = Slow(ValueError("no"))
    slow.let.set()
    with pytest.raises(ValueError, match="no"):
        flight.get_or_make("wall", slow)

    assert flight.get_or_make("wall", lambda: "made") == "made"
