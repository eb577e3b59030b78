"""What a program asks of a session's pictures, on top of the services the pages call."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sessions_app.api.bodies import GenerateRequest
from sessions_app.api.errors import BadBody
from sessions_app.errors import BadRequest, NotFound, WrongState
from sessions_app.models import Generation, Session
from sessions_app.services import clicking, generations
from sessions_app.services import wallpapers as papers
from sessions_app.services.session_lock import session_lock


def generation_for(session: Session, asked: GenerateRequest, *, key: str) -> Generation:
    """The generation that has this key already, or a new one of what is asked for.

    Raises:
        AppError: nothing was queued: a field is refused, the session is not ready, or another one
            is in progress.
    """
    generation = session.generations.filter(request_key=key).first()
    if generation is None:
        with session_lock(session):
            _refuse_a_second(session)
            generations.check_can_ask(session, brings_mask=asked.mask is not None)
            _apply(session, asked)
            generation = generations.request_generation(session_id=session.pk, request_key=key)
            if generation.request_key != key:  # a page's request was faster, after the check above
                raise _in_progress(generation)
    return session.generations.select_related("session", "wallpaper").get(pk=generation.pk)


def refuse_two_wallpapers(asked: GenerateRequest) -> None:
    """Raises BadBody when both a known wallpaper and a link to one are named."""
    if asked.wallpaper and asked.wallpaper_url:
        raise BadBody("Give 'wallpaper' or 'wallpaper_url', not both.", code="two_wallpapers")


def key_of(session: Session, body: bytes) -> str:
    """The key of a request that brings none: the same body counts as the same request until it has
    ended.

    So a client that repeats a request after a lost answer spends one attempt, and one that asks
    again after the result is there gets another generation.
    """
    ended = session.generations.exclude(state__in=Generation.ACTIVE).count()
    return "body-" + hashlib.sha256(b"%d:%b" % (ended, body)).hexdigest()[:40]


def _refuse_a_second(session: Session) -> None:
    """A page shows the generation in progress; a program asked for this one, and must not be told
    another's.

    Raises:
        WrongState: one is in progress. Nothing was changed.
    """
    active = session.generations.filter(state__in=Generation.ACTIVE).first()
    if active is not None:
        raise _in_progress(active)


def _in_progress(generation: Generation) -> WrongState:
    return WrongState(
        f"Generation {generation.number} of this session is in progress; wait for it to end.",
        code="generation_in_progress",
    )


def _apply(session: Session, asked: GenerateRequest) -> None:
    """Make the request's wallpaper, mask and placement the session's.

    Raises:
        AppError: the service's refusal of any of them.
    """
    if asked.wallpaper_url:
        papers.choose_link(session_id=session.pk, url=asked.wallpaper_url)
    elif asked.wallpaper:
        _choose_named(session, asked.wallpaper)
    if asked.placement:
        papers.set_placement(session_id=session.pk, placement=asked.placement)
    if asked.mask is not None:  # last: it cannot be taken back
        clicking.use_mask(session_id=session.pk, data=asked.mask)


def _choose_named(session: Session, name: str) -> None:
    """Choose a design by its slug, or a wallpaper of the session by its id.

    Raises:
        BadRequest: there is neither. (Not 404: that would say the session is gone.)
    """
    try:
        wallpaper_id = UUID(name)
    except ValueError:
        wallpaper_id = None
    try:
        if wallpaper_id is not None:
            papers.choose_kept(session_id=session.pk, wallpaper_id=wallpaper_id)
        else:
            papers.choose_design(session_id=session.pk, slug=name)
    except NotFound as error:
        raise BadRequest(
            "'wallpaper' is neither a built-in design nor a wallpaper of this session.",
            code="unknown_wallpaper",
        ) from error


def to_cancel(session: Session, number: int | None) -> Generation:
    """The generation of that number, or the latest.

    Raises:
        BadRequest: there is none of that number.
        WrongState: there is none at all.
    """
    found = session.generations.order_by("-number")
    generation = (found if number is None else found.filter(number=number)).first()
    if generation is None and number is not None:
        raise BadRequest(f"This session has no generation {number}.", code="unknown_generation")
    if generation is None:
        raise WrongState("This session has no generation to cancel.", code="not_in_progress")
    return generation


def completed(session: Session, number: int | None) -> Generation:
    """The completed generation of that number, or the latest completed one.

    Raises:
        NotFound: there is none.
    """
    found = session.generations.filter(state=Generation.State.COMPLETED)
    if number is not None:
        found = found.filter(number=number)
    generation = found.order_by("-number").first()
    if generation is None:
        raise NotFound("There is no result yet.", code="no_result")
    return generation
