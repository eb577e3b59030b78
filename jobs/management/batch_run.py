"""How `manage.py generate_batch` makes its pictures: strands of one photo each, side by side, none stopping another."""

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

from jobs.management.batch_plan import BatchError, Item, Photo, read_clicks
from jobs.management.photo_options import drop_of, mask_within, scaled, size_of_photo
from jobs.tasks import run_generation
from sessions_app import storage
from sessions_app.catalogue import design
from sessions_app.errors import AppError, Unavailable, WrongState
from sessions_app.management.cli import refusals_as_one_line
from sessions_app.models import Generation, Session
from sessions_app.services import clicking, generations, retention, uploads, wallpapers

logger = logging.getLogger(__name__)

# A session holds 60 wallpapers; a photo with more gets another session (its encoding is kept).
PER_SESSION: Final = 50
POLL_SECONDS: Final = 0.2
QUEUE_PATIENCE_SECONDS: Final = 60.0
UNEXPECTED: Final = "an unexpected fault; the log has the details"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One picture: made in so many seconds, there already, or not made and why."""

    item: Item
    seconds: float = 0.0
    error: str = ""
    skipped: bool = False


class Strand:
    """Some wallpapers on one photo, one after the other, in a session of their own."""

    def __init__(self, items: Sequence[Item], options: dict[str, Any]) -> None:
        self._items = items
        self._options = options
        self._generation: Generation | None = None

    def run(self) -> Generator[Outcome | None]:
        """An outcome for each picture; None while the workers are at it."""
        session = None
        try:
            session = self._open(self._items[0].photo)
            for item in self._items:
                yield from self._picture(session, item)
        except CommandError as error:  # the photo itself: no picture of it can be made
            yield from (Outcome(item, error=str(error)) for item in self._items)
        finally:
            if session is not None:
                self._close(session)

    def _open(self, photo: Photo) -> Session:
        """A session with the wall marked. Raises CommandError."""
        largest = self._options["max_side"]
        with one_line():
            session = uploads.create_session(
                data=photo.path.read_bytes(),
                source=Session.Source.COMMAND,
                max_side=largest,
                background=False,
            )
            try:
                self._mark_wall(session, photo)
            except BaseException:
                self._close(session)
                raise
            # The limit is for visitors; tries of our own, after an outage of the queue, count as well.
            Session.objects.filter(pk=session.pk).update(attempts_left=10 * len(self._items))
        return session

    def _mark_wall(self, session: Session, photo: Photo) -> None:
        size = size_of_photo(photo.path, session, self._options["max_side"])
        if photo.mask is not None and not self._options["auto"]:
            data = mask_within(photo.mask.read_bytes(), size, session)
            clicking.use_mask(session_id=session.pk, data=data)
        elif self._options["model_fault"]:
            raise CommandError(self._options["model_fault"])
        elif photo.clicks is not None and not self._options["auto"]:
            factor = session.width / size[0]
            clicks = [(*scaled((x, y), factor), label) for x, y, label in read_clicks(photo.clicks)]
            clicking.replace_clicks(session_id=session.pk, clicks=clicks)
        else:
            clicking.find_wall(session_id=session.pk)

    def _picture(self, session: Session, item: Item) -> Iterator[Outcome | None]:
        started = time.monotonic()
        try:
            with one_line():
                self._choose(session, item)
                yield from self._generated(session)
                self._write(item.out)
        except CommandError as error:
            yield Outcome(item, error=str(error))
            return
        yield Outcome(item, seconds=time.monotonic() - started)

    def _choose(self, session: Session, item: Item) -> None:
        """The wallpaper and how it lies; the one before leaves nothing behind."""
        if item.paper.fault:
            raise BatchError(item.paper.fault)
        Session.objects.filter(pk=session.pk).update(wallpaper=None, placement={})
        source, path = item.paper.source, Path(item.paper.source)
        if "://" in source:
            wallpapers.choose_link(session_id=session.pk, url=source)
        elif path.is_file():
            wallpapers.choose_upload(session_id=session.pk, data=path.read_bytes(), name=path.name)
        elif design(source) is not None:
            wallpapers.choose_design(session_id=session.pk, slug=source)
        else:
            raise BatchError(f"There is no wallpaper file and no built-in design called {source}.")
        wanted = {
            "repeat_width_m": self._options["repeat_width"],
            "drop": drop_of(self._options["drop"]),
            "rotation_deg": self._options["rotate"],
            "mode": self._options["mode"],
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        wallpapers.set_placement(session_id=session.pk, placement={**given, **item.paper.placement})

    def _generated(self, session: Session) -> Iterator[None]:
        """Make the picture here, or wait for the workers' (yields meanwhile)."""
        queued = self._options["queue"]
        deadline = time.monotonic() + QUEUE_PATIENCE_SECONDS
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
        made = self._generation
        if made is None or made.state != Generation.State.COMPLETED:
            raise BatchError((made and made.error_message) or "The picture could not be made.")
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        try:
            part.write_bytes(storage.read(made.result_key))
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)

    def _close(self, session: Session) -> None:
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
def one_line() -> Iterator[None]:
    """A photo's or a picture's faults as `CommandError`: none of them stops the rest."""
    try:
        with refusals_as_one_line():
            yield
    except BatchError as error:
        raise CommandError(str(error)) from error
    except CommandError:
        raise
    except Exception as error:
        logger.exception("a picture of the batch")
        raise CommandError(UNEXPECTED) from error


def side_by_side(strands: Sequence[Strand], lanes: int) -> Iterator[Outcome]:
    """Run the strands, `lanes` at a time; the outcomes as they come."""
    waiting = [strand.run() for strand in reversed(strands)]
    running: list[Generator[Outcome | None]] = []
    try:
        while waiting or running:
            while waiting and len(running) < lanes:
                running.append(waiting.pop())
            is_idle = True
            for run in list(running):
                try:
                    outcome = next(run)
                except StopIteration:
                    running.remove(run)
                    is_idle = False
                    continue
                if outcome is not None:
                    is_idle = False
                    yield outcome
            if is_idle:
                time.sleep(POLL_SECONDS)
    finally:
        for run in running:  # interrupted: sessions are purged, waiting jobs canceled
            run.close()
