"""Clicks with undo and redo."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.click_history import ClickHistory

A, B, C = (1.0, 2.0, 1), (3.0, 4.0, 0), (5.0, 6.0, 1)

steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"), st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 1))
        ),
        st.tuples(st.sampled_from(["undo", "redo", "clear", "auto"]), st.none()),
    ),
    max_size=30,
)


def played(moves: list[Any]) -> ClickHistory:
    history = ClickHistory()
    for name, click in moves:
        if name == "add":
            history = history.add((float(click[0]), float(click[1]), click[2]))
        else:
            history = getattr(history, name)()
    return history


def test_undo_takes_the_last_click_back_and_redo_brings_it_again() -> None:
    history = ClickHistory().add(A).add(B)

    assert history.undo().clicks == (A,)
    assert history.undo().redo().clicks == (A, B)


def test_a_clear_can_be_undone() -> None:
    cleared = ClickHistory().add(A).add(B).clear()

    assert cleared.clicks == ()
    assert cleared.undo().clicks == (A, B)


def test_a_new_click_drops_what_was_undone() -> None:
    history = ClickHistory().add(A).add(B).undo().add(C)

    assert history.clicks == (A, C)
    assert not history.can_redo


def test_a_double_click_counts_once() -> None:
    assert ClickHistory().add(A).add(A).clicks == (A,)


def test_exclusions_alone_are_no_mask() -> None:
    assert not ClickHistory().add(B).has_mask
    assert ClickHistory().add(B).add(A).has_mask


def test_the_found_wall_replaces_clicks_and_can_be_undone() -> None:
    found = ClickHistory().add(A).auto()

    assert found.is_auto
    assert found.has_mask
    assert found.undo().clicks == (A,)


@given(steps)
def test_a_history_survives_being_stored(moves: list[Any]) -> None:
    history = played(moves)

    assert ClickHistory.from_json(history.as_json()) == history


@given(steps)
def test_undoing_everything_and_redoing_everything_gives_the_same_clicks(moves: list[Any]) -> None:
    history = played(moves)
    rewound = history
    while rewound.can_undo:
        rewound = rewound.undo()
    forward = rewound
    while forward.cursor < history.cursor:
        forward = forward.redo()

    assert rewound.clicks == ()
    assert forward.clicks == history.clicks


def test_clicks_after_the_found_wall_correct_it() -> None:
    corrected = ClickHistory().add(A).auto().add(B)

    assert corrected.is_auto
    assert corrected.clicks == (B,)
    assert corrected.has_mask
    assert not corrected.clear().is_auto


def test_the_scope_is_what_the_clicks_suggest_until_one_is_chosen() -> None:
    assert ClickHistory().add(A).scope == "clicks"
    assert ClickHistory().add(A).with_scope("this").scope == "this"


def test_a_choice_of_scope_keeps_the_clicks_and_can_be_undone() -> None:
    history = ClickHistory().add(A).with_scope("this").add(B).with_scope("all")

    assert history.clicks == (A, B)
    assert history.undo().scope == "this"
    assert history.undo().clicks == (A, B)


def test_the_found_wall_and_a_clear_keep_the_scope() -> None:
    history = ClickHistory().add(A).with_scope("all")

    assert history.auto().scope == "all"
    assert history.auto().with_scope("this").is_auto
    assert history.clear().scope == "all"


def test_choosing_the_scope_in_force_is_no_step() -> None:
    history = ClickHistory().add(A).with_scope("this")

    assert history.with_scope("this") is history
