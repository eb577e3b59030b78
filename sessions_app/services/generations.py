"""A generation's life before and around the work: asked for, queued, asked for again.

Every change of state is one conditional UPDATE, so whoever comes second (a double click, a second
worker, a late orphan) changes nothing and can tell. The steps of a running generation are in
`sessions_app.services.runs`.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.module_loading import import_string

from rendering.version import RENDERER_VERSION
from sessions_app.errors import BadRequest, NoAttemptsLeft, NotFound, Unavailable, WrongState
from sessions_app.inference.model import model_identity
from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.queueing import queues
from sessions_app.services import masks, photos, planes, previews, runs, wallpapers
from sessions_app.services.runs import fail
from sessions_app.services.transitions import prolong

logger = logging.getLogger(__name__)

QUEUE_AWAY = (
    "The picture cannot be made at the moment: the queue does not answer. "
    "Your photo, your clicks and your "
    "attempts are kept; please try again in a minute."
)
CANCELED = "You stopped this picture before it was begun. Your attempt was given back."
CANCELED_AT_WORK = (
    "You stopped this picture while it was being made. This still counts as an attempt."
)
CANCELED_BY_STAFF = (
    "This picture was stopped by the people who run this site. Your attempt was given back."
)
FINISHED_FIRST = "This picture was finished before it could be stopped."
ENDED_FIRST = "This picture had ended already, before it could be stopped."
CHANGED_ELSEWHERE = (
    "This room was changed in another window. Look at the preview again, then generate; "
    "no attempt was used."
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a generation is made from, as stored in its row."""

    clicks: dict[str, object]
    mask_key: str
    mask_digest: str
    wallpaper: Wallpaper
    placement: dict[str, object]
    plane: dict[str, object]
    versions: dict[str, str]


def request_generation(
    *,
    session_id: UUID,
    request_key: str,
    backend: str | None = None,
    inline: bool = False,
    seen: str | None = None,
) -> Generation:
    """Take one attempt off and queue a generation of the session as it stands now.

    The same `request_key` again gives the same generation, and while one is in progress that one: a
    double click, a refresh or a second tab never makes two.

    Args:
        inline: the caller runs the task itself (commands); nothing is put into the queue.
        seen: the version of the preview the visitor decided by, where the caller knows it.

    Raises:
        WrongState: mask or wallpaper are missing, or the room is not as it was seen.
        NoAttemptsLeft: all attempts are used.
        BadRequest: no such backend, or a placement that makes no sense.
        Unavailable: queue, weights or store are away; no attempt is lost.
    """
    prolong(session_id)
    session = Session.objects.select_related("wallpaper").filter(pk=session_id).first()
    if session is None:
        raise NotFound("This room is not here any more.")
    earlier = _already_answered(session_id, request_key)
    if earlier is not None:
        return earlier
    name = checked_backend(backend)
    if seen is not None and seen != previews.preview_version(session):
        raise WrongState(CHANGED_ELSEWHERE, code="changed_elsewhere")
    check_can_ask(session, inline=inline)
    inputs = _gather(session)
    try:
        with transaction.atomic():
            generation = _insert(session_id, request_key, name, inputs)
    except IntegrityError:  # another tab was first, between the look above and the insert
        earlier = _already_answered(session_id, request_key)
        if earlier is None:
            raise
        return earlier
    if not inline:
        _enqueue(generation)
    return generation


def check_can_ask(session: Session, *, brings_mask: bool = False, inline: bool = False) -> None:
    """Refuse at once what cannot end in a picture, before anything is fetched, decoded or changed.

    Raises:
        NoAttemptsLeft: all attempts are used.
        WrongState: no wall is marked, and the request brings no mask.
        Unavailable: the queue is away.
    """
    if session.attempts_left < 1:
        raise _no_attempts()
    if not brings_mask and not session.has_mask:
        raise WrongState("Click the wall first, then generate.", code="no_mask")
    if not inline and not queues.queue_state().reachable:
        raise Unavailable(QUEUE_AWAY, code="queue_unavailable")


def queue_again(*, generation_id: UUID) -> Generation:
    """A new generation with the inputs of an ended one; takes no attempt off.

    Raises:
        WrongState: it has not ended, or the session has another in progress.
        Unavailable: the queue is away.
    """
    old = Generation.objects.select_related("wallpaper").filter(pk=generation_id).first()
    if old is None:
        raise NotFound("There is no such generation.")
    if old.is_active:
        raise WrongState("This generation is still in progress.", code="in_progress")
    if not queues.queue_state().reachable:
        raise Unavailable(QUEUE_AWAY, code="queue_unavailable")
    inputs = Inputs(
        clicks=old.clicks,
        mask_key=old.mask_key,
        mask_digest=old.mask_digest,
        wallpaper=old.wallpaper,
        placement=old.placement,
        plane=old.plane,
        versions=old.versions,
    )
    try:
        with transaction.atomic():
            generation = _insert(
                old.session_id, secrets.token_hex(16), old.backend, inputs, takes_attempt=False
            )
    except IntegrityError as error:
        raise WrongState(
            "Another generation of this session is in progress.", code="in_progress"
        ) from error
    _enqueue(generation)
    return generation


def cancel_generation(
    *,
    generation_id: UUID | None = None,
    session_id: UUID | None = None,
    number: int | None = None,
    by_staff: bool = False,
) -> Generation:
    """End a generation that waits or runs: `failed` with the code `canceled`. Name it by its id, or
    by session and number.

    One that waits gives its attempt back. One that is worked on keeps it: the work was done, and an
    image service may have been paid. The worker stops at its next stage; with our own renderer its
    process is ended at once. Canceling what was canceled already changes nothing and is no fault: a
    double click, a second tab.

    Args:
        by_staff: not the visitor's own wish, so the attempt is given back in any case.

    Raises:
        NotFound: there is none.
        WrongState: it has ended otherwise.
    """
    name = {"session_id": session_id, "number": number}
    if generation_id is not None:
        name = {"pk": generation_id}
    found = Generation.objects.filter(**name)
    # A sweep may give it to another worker between the look and the UPDATE: then look again.
    for _ in range(runs.MAX_RUNS + 1):
        generation = found.first()
        if generation is None:
            raise NotFound("There is no such generation.")
        if not generation.is_active:
            return _ended_already(generation)
        if _canceled(generation, by_staff=by_staff):
            # An image service is called off by the process itself when it notices.
            is_local = generation.backend == "local"
            queues.cancel_job(generation.pk, generation.run, stop=is_local)
            generation.refresh_from_db()
            return generation
    raise WrongState(ENDED_FIRST, code="not_in_progress")


def _ended_already(generation: Generation) -> Generation:
    if generation.is_canceled:
        return generation
    finished = generation.state == Generation.State.COMPLETED
    raise WrongState(FINISHED_FIRST if finished else ENDED_FIRST, code="not_in_progress")


def _canceled(generation: Generation, *, by_staff: bool) -> bool:
    waits = generation.state == Generation.State.QUEUED
    message = CANCELED if waits else CANCELED_AT_WORK
    return fail(
        generation.pk,
        generation.run,
        code=Generation.CANCELED,
        message=CANCELED_BY_STAFF if by_staff else message,
        detail="canceled by staff" if by_staff else "canceled on request",
        is_ours=waits or by_staff,
        states=[generation.state],
    )


def checked_backend(backend: str | None) -> str:
    """The backend's name, the default for None.

    Raises:
        BadRequest: there is none of that name, or it is not set up on this server.
    """
    name = backend or settings.DEFAULT_GENERATION_BACKEND
    if name not in settings.GENERATION_BACKENDS:
        known = ", ".join(sorted(settings.GENERATION_BACKENDS))
        raise BadRequest(
            f"There is no generator called {name!r} here. Known: {known}.", code="unknown_backend"
        )
    # Named in the settings, and not imported: backends belong to the worker's side.
    missing = import_string(settings.GENERATION_BACKENDS[name])().configured()
    if missing is not None:
        raise BadRequest(missing, code="backend_not_set_up")
    return name


def _already_answered(session_id: UUID, request_key: str) -> Generation | None:
    own = Generation.objects.filter(session_id=session_id)
    return (
        own.filter(request_key=request_key).first()
        or own.filter(state__in=Generation.ACTIVE).first()
    )


def _gather(session: Session) -> Inputs:
    """Mask, plane and placement of the session as it stands; stores the mask."""
    if session.wallpaper is None:
        raise WrongState("Choose a wallpaper first, then generate.", code="no_wallpaper")
    wallpapers.current_placement(session)
    mask = masks.pixels(session, size=(session.width, session.height))
    if not mask.any():
        raise WrongState("The marked wall is empty. Click the wall again.", code="empty_mask")
    # The plane is the preview's, brought to full size: what was seen is what is made.
    view = photos.view_pixels(session, max_side=settings.PREVIEW_MAX_SIDE_PX)
    view_mask = masks.pixels(session, size=(view.shape[1], view.shape[0]))
    plane = planes.plane_on(session, view, view_mask).scaled(session.width / view.shape[1])
    key, digest = masks.store_mask(session, mask)
    return Inputs(
        clicks=session.click_history,
        mask_key=key,
        mask_digest=digest,
        wallpaper=session.wallpaper,
        placement={"repeat_width_m": session.wallpaper.repeat_width_m, **session.placement},
        plane=plane.as_json(),
        versions={"renderer": RENDERER_VERSION, "model": model_identity()},
    )


def _insert(
    session_id: UUID, request_key: str, backend: str, inputs: Inputs, *, takes_attempt: bool = True
) -> Generation:
    """Take the attempt and write the row, in the caller's transaction.

    Raises:
        NoAttemptsLeft: another request took the last one.
        IntegrityError: the request is answered already, or another generation is in progress.
    """
    session = Session.objects.filter(pk=session_id)
    if takes_attempt:
        taken = session.filter(attempts_left__gt=0).update(attempts_left=F("attempts_left") - 1)
        if not taken:
            raise _no_attempts()
    last = Generation.objects.filter(session_id=session_id).aggregate(last=Max("number"))["last"]
    generation = Generation.objects.create(
        session_id=session_id,
        number=(last or 0) + 1,
        request_key=request_key[:64],
        backend=backend,
        clicks=inputs.clicks,
        mask_key=inputs.mask_key,
        mask_digest=inputs.mask_digest,
        wallpaper=inputs.wallpaper,
        placement=inputs.placement,
        plane=inputs.plane,
        versions=inputs.versions,
        took_attempt=takes_attempt,
        queued_at=timezone.now(),
    )
    session.update(status=Session.Status.QUEUED)
    return generation


def _enqueue(generation: Generation) -> None:
    """Queue the committed row; with the queue away it fails at once and gives the attempt back."""
    try:
        queues.enqueue_generation(generation.pk, generation.run)
    except queues.QueueAwayError as error:
        fail(
            generation.pk,
            generation.run,
            code="queue_unavailable",
            message=QUEUE_AWAY,
            detail=str(error),
            is_ours=True,
        )
        # The request was not answered: the same key must be free to ask again.
        Generation.objects.filter(pk=generation.pk).update(request_key=generation.pk.hex)
        raise Unavailable(QUEUE_AWAY, code="queue_unavailable") from error


def _no_attempts() -> NoAttemptsLeft:
    return NoAttemptsLeft(
        "All attempts of this room are used. Upload the photo again to start a new one."
    )
