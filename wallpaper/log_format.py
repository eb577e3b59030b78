"""What a line of the log looks like: for people, or as JSON for programs that collect logs.

Both keep what the code gives as `extra` (session, generation, run). Only words, numbers and truth
values are kept: Django gives whole requests as `extra`, which hold more than a log may. Ids become
digests (`sessions_app.log_digests`), also in addresses and tracebacks that others write.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from sessions_app.log_digests import with_digests
from wallpaper import env

_FORMATTERS: Final[dict[str, dict[str, Any]]] = {
    "text": {
        "()": "wallpaper.log_format.TextLineFormatter",
        "format": "{asctime} {levelname:<7} {name}: {message}",
        "style": "{",
    },
    "json": {
        "()": "wallpaper.log_format.JsonLineFormatter",
        "format": "{levelname}{name}{message}",
        "style": "{",
        "rename_fields": {"levelname": "level", "name": "logger"},
        "timestamp": True,
    },
}


def chosen() -> str:
    """The name of the format that `LOG_FORMAT` asks for: text or json.

    Raises:
        ImproperlyConfigured: there is no such format.
    """
    name = env.text(
        "LOG_FORMAT", "text", "text: lines for people; json: one JSON object a line, for programs"
    )
    if name not in _FORMATTERS:
        raise ImproperlyConfigured(f"LOG_FORMAT must be text or json, not {name!r}")
    return name


def formatter(name: str) -> dict[str, Any]:
    """The format's entry for `logging.config.dictConfig`, which changes what it is given."""
    return dict(_FORMATTERS[name])


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


class TextLineFormatter(logging.Formatter):
    """The message, and behind it what was given as `extra`: `generation failed session=4f866...
    run=2`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line with its traceback, ids as digests."""
        return with_digests(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (the base's name)
        """The line before its traceback."""
        extra = [
            f"{name}={value}"
            for name, value in vars(record).items()
            if name not in RESERVED_ATTRS and _is_plain(value)
        ]
        return " ".join([super().formatMessage(record), *extra])


class JsonLineFormatter(JsonFormatter):
    """One object a line: timestamp, level, logger, message, what was given as `extra`, and
    exc_info.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, ids as digests."""
        return with_digests(super().format(record))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Leave out what is not plain."""
        plain = {name: value for name, value in log_data.items() if _is_plain(value)}
        return super().process_log_record({"timestamp": log_data["timestamp"], **plain})
