"""How `manage.py generate_batch` makes its pictures: in batches of one photo each, run
concurrently.

A fault in one picture or one batch stops no other.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError

from jobs.management.batch_plan import (
    BatchError,
    BatchPhoto,
    BatchPicture,
    BatchWallpaper,
    read_clicks,
)
from jobs.management.photo_options import (
    choose_wallpaper,
    mark_wall,
    original_size,
    placement_from_options,
)
from jobs.tasks import run_generation
from sessions_app import storage
from sessions_app.errors import AppError, Unavailable, WrongState
from sessions_app.management.cli import user_errors_as_one_line
from sessions_app.models import Generation, Session
from sessions_app.services import generations, retention, uploads, wallpapers

logger = logging.getLogger(__name__)

# A session holds 60 wallpapers; a photo with more gets another session (its embedding is cached).
WALLPAPERS_PER_SESSION: Final = 50
POLL_SECONDS: Final = 0.2
QUEUE_TIMEOUT_SECONDS: Final = 60.0
UNEXPECTED: Final = "an unexpected fault; the log has the details"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One picture: made in `seconds`, skipped because its file is there already, or not made
    because of `error`.
    """

    picture: BatchPicture
    seconds: float = 0.0
    error: str = ""
    skipped: bool = False


class PhotoBatch:
    """Some wallpapers on one photo, one after the other, in a session of their own."""

    def __init__(self, pictures: Sequence[BatchPicture], options: dict[str, Any]) -> None:
        self._pictures = pictures
        self._options = options
        self._generation: Generation | None = None

    def run(self) -> Generator[Outcome | None]:
        """An outcome for each picture; None while the workers make one."""
        session = None
        try:
            session = self._open_session(self._pictures[0].photo)
            for picture in self._pictures:
                yield from self._make(session, picture)
        except CommandError as error:  # the photo cannot be used: no picture of it can be made
            yield from (Outcome(picture, error=str(error)) for picture in self._pictures)
        finally:
            if session is not None:
                self._close_session(session)

    def _open_session(self, photo: BatchPhoto) -> Session:
        """A session with the wall marked.

        Raises:
            CommandError: the photo cannot be read, or its wall not marked.
        """
        with any_error_as_one_line():
            session = uploads.create_session(
                data=photo.path.read_bytes(),
                source=Session.Source.COMMAND,
                max_side=self._options["max_side"],
                background=False,
            )
            try:
                self._mark_wall(session, photo)
            except BaseException:
                self._close_session(session)
                raise
            # The limit is meant for visitors; a batch also tries again after an outage of the
            # queue.
            attempts = 10 * len(self._pictures)
            Session.objects.filter(pk=session.pk).update(attempts_left=attempts)
        return session

    def _mark_wall(self, session: Session, photo: BatchPhoto) -> None:
        size = original_size(photo.path, session, self._options["max_side"])
        mask, clicks_file = photo.mask, photo.clicks
        if self._options["auto"]:
            mask = clicks_file = None
        if mask is None and self._options["model_error"]:
            raise CommandError(self._options["model_error"])
        # A mask goes before clicks, which are then not even read.
        clicks = read_clicks(clicks_file) if clicks_file is not None and mask is None else None
        mark_wall(session, size, mask=mask, clicks=clicks)

    def _make(self, session: Session, picture: BatchPicture) -> Iterator[Outcome | None]:
        started = time.monotonic()
        try:
            with any_error_as_one_line():
                self._choose_wallpaper(session, picture.wallpaper)
                yield from self._generate(session)
                self._write(picture.out)
        except CommandError as error:
            yield Outcome(picture, error=str(error))
            return
        yield Outcome(picture, seconds=time.monotonic() - started)

    def _choose_wallpaper(self, session: Session, wallpaper: BatchWallpaper) -> None:
        """The wallpaper and its placement, with nothing left of the one before."""
        if wallpaper.error:
            raise BatchError(wallpaper.error)
        Session.objects.filter(pk=session.pk).update(wallpaper=None, placement={})
        choose_wallpaper(session, wallpaper.source)
        placement = {**placement_from_options(self._options), **wallpaper.placement}
        wallpapers.set_placement(session_id=session.pk, placement=placement)

    def _generate(self, session: Session) -> Iterator[None]:
        """Make the picture in this process, or have a worker make it; yields while that is under
        way.
        """
        queued = self._options["queue"]
        deadline = time.monotonic() + QUEUE_TIMEOUT_SECONDS
        key = secrets.token_hex(16)
        while True:
            try:
                self._generation = generations.request_generation(
                    session_id=session.pk,
                    request_key=key,
                    backend=self._options["backend"],
                    inline=not queued,
                )
                break
            except Unavailable as error:
                if error.code != "queue_unavailable" or time.monotonic() > deadline:
                    raise
                yield
        if not queued:
            run_generation(str(self._generation.pk), self._generation.run)
            self._generation.refresh_from_db()
        while self._generation.is_active:
            yield
            self._generation.refresh_from_db()

    def _write(self, out: Path) -> None:
        """The finished picture under its name, whole or not at all."""
        generation = self._generation
        if generation is None or generation.state != Generation.State.COMPLETED:
            raise BatchError(
                (generation and generation.error_message) or "The picture could not be made."
            )
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        try:
            part.write_bytes(storage.read(generation.result_key))
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)

    def _close_session(self, session: Session) -> None:
        if self._options["keep"]:
            return
        try:
            if self._generation is not None and self._generation.is_active:
                generations.cancel_generation(generation_id=self._generation.pk)
        except WrongState:
            logger.debug("%s has ended meanwhile", self._generation)
        try:
            retention.purge_session(session_id=session.pk, force=True)
        except AppError as error:
            logger.warning("session %s is left for the purge: %s", session.pk, error)


@contextmanager
def any_error_as_one_line() -> Iterator[None]:
    """Turn whatever goes wrong with a photo or a picture into `CommandError`, so that it stops no
    other.

    Raises:
        CommandError: in place of every other exception.
    """
    try:
        with user_errors_as_one_line():
            yield
    except BatchError as error:
        raise CommandError(str(error)) from error
    except CommandError:
        raise
    except Exception as error:
        logger.exception("a picture of the batch")
        raise CommandError(UNEXPECTED) from error


def run_concurrently(batches: Sequence[PhotoBatch], limit: int) -> Iterator[Outcome]:
    """Run the batches, `limit` at a time; the outcomes as they come."""
    waiting = [batch.run() for batch in reversed(batches)]
    running: list[Generator[Outcome | None]] = []
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                running.append(waiting.pop())
            is_idle = True
            for batch in list(running):
                try:
                    outcome = next(batch)
                except StopIteration:
                    running.remove(batch)
                    is_idle = False
                    continue
                if outcome is not None:
                    is_idle = False
                    yield outcome
            if is_idle:
                time.sleep(POLL_SECONDS)
    finally:
        for batch in running:  # interrupted: sessions are purged, waiting jobs canceled
            batch.close()
