"""Typed readers for environment variables.

Owns the one way settings are read: every reader refuses nonsense with `ImproperlyConfigured` naming the
variable, and registers the variable with its default and meaning, so that `docs/configuration.md` and the
test that compares it with the code cannot drift apart. A value may also come from a mounted file: for any
variable `NAME`, `NAME_FILE` names a file whose content is the value (Docker and Kubernetes secrets).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable the product reads: its name, what it is when absent, and what it is for."""

    name: str
    default: str
    meaning: str


_known: dict[str, Variable] = {}


def variables() -> tuple[Variable, ...]:
    """All variables read so far, in order of reading."""
    return tuple(_known.values())


def text(name: str, default: str, meaning: str) -> str:
    """The variable's text, stripped; `default` when it is absent or empty.

    Raises:
        ImproperlyConfigured: `NAME_FILE` is set but cannot be read.
    """
    _known[name] = Variable(name, default, meaning)
    file_name = os.environ.get(f"{name}_FILE", "").strip()
    if file_name:
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"{name}_FILE points at {file_name}, which cannot be read: {error}"
            ) from error
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool, meaning: str) -> bool:
    """True or false from the usual words.

    Raises:
        ImproperlyConfigured: any other word.
    """
    word = text(name, "true" if default else "false", meaning).lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {word!r}")


def integer(
    name: str, default: int, meaning: str, *, minimum: int = 0, maximum: int | None = None
) -> int:
    """A whole number within bounds.

    Raises:
        ImproperlyConfigured: not a whole number, or outside the bounds.
    """
    word = text(name, str(default), meaning)
    try:
        value = int(word)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {word!r}") from error
    if value < minimum or (maximum is not None and value > maximum):
        bounds = f"at least {minimum}" + (f" and at most {maximum}" if maximum is not None else "")
        raise ImproperlyConfigured(f"{name} must be {bounds}, not {value}")
    return value


def words(name: str, default: str, meaning: str) -> list[str]:
    """A comma-separated list without blanks or empty entries."""
    return [word.strip() for word in text(name, default, meaning).split(",") if word.strip()]


def path(name: str, default: Path, meaning: str) -> Path:
    """An absolute path; `~` is expanded and relative ones are taken from the current folder."""
    return Path(text(name, str(default), meaning)).expanduser().absolute()
