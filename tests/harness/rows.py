"""Sessions, wallpapers and generations straight into the database, for lists that need many."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.storage import keys


def insert_session(**fields: Any) -> Session:
    """A session without stored pictures."""
    session_id = fields.pop("id", None) or uuid.uuid4()
    return Session.objects.create(
        id=session_id,
        expires_at=timezone.now() + timedelta(days=1),
        photo_key=keys.photo(session_id),
        photo_digest="0" * 64,
        photo_format="JPEG",
        width=640,
        height=480,
        **fields,
    )


def insert_wallpaper(session: Session, **fields: Any) -> Wallpaper:
    """A wallpaper chosen in the session, by default an upload."""
    made = Wallpaper.objects.create(
        session=session,
        **{
            "source": "upload",
            "title": "Discs",
            "key": keys.wallpaper(session.pk, "1" * 64),
            "digest": "1" * 64,
            "width": 64,
            "height": 64,
            "repeat_width_m": 0.53,
            **fields,
        },
    )
    Session.objects.filter(pk=session.pk).update(wallpaper=made)
    return made


def insert_generation(session: Session, *, number: int = 1, **fields: Any) -> Generation:
    """A completed generation of the session, unless `fields` say otherwise."""
    wallpaper = session.wallpapers.first() or insert_wallpaper(session)
    now = timezone.now()
    return Generation.objects.create(
        session=session,
        number=number,
        request_key=f"key-{number}",
        wallpaper=wallpaper,
        **{
            "state": "completed",
            "backend": "local",
            "mask_key": keys.mask(session.pk, "2" * 64),
            "mask_digest": "2" * 64,
            "queued_at": now - timedelta(seconds=5),
            "started_at": now - timedelta(seconds=4),
            "finished_at": now,
            "timings": {"render": 2.5},
            "versions": {"renderer": "1"},
            "untouched_outside": True,
            "result_key": keys.result(session.pk, number, 1),
            "result_view_key": keys.result_view(session.pk, number, 1),
            **fields,
        },
    )
