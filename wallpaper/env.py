"""Typed readers for environment variables.

All settings are read here. Every reader raises `ImproperlyConfigured`, naming the variable, when
its value cannot be used, and registers the variable with its default and meaning: a test compares
the register with `docs/configuration.md`. A value may also come from a mounted file: for any
variable `NAME`, `NAME_FILE` names a file whose content is the value (Docker and Kubernetes
secrets).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable that the product reads: its name, its default, and what it is for."""

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


def optional_text(name: str, meaning: str) -> str | None:
    """The variable's text; None when it is absent or empty.

    Raises:
        ImproperlyConfigured: `NAME_FILE` is set but cannot be read.
    """
    return text(name, "", meaning) or None


def choice(name: str, default: str, meaning: str, *, among: Iterable[str]) -> str:
    """One of the words `among`.

    Raises:
        ImproperlyConfigured: any other word.
    """
    word = text(name, default, meaning)
    allowed = tuple(among)
    if word not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}")
    return word


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
    """A comma-separated list, without blanks around the entries and without empty ones.

    Raises:
        ImproperlyConfigured: `NAME_FILE` is set but cannot be read.
    """
    return [word.strip() for word in text(name, default, meaning).split(",") if word.strip()]


def path(name: str, default: Path, meaning: str) -> Path:
    """An absolute path; `~` is expanded, and a relative path starts in the current folder.

    Raises:
        ImproperlyConfigured: `NAME_FILE` is set but cannot be read.
    """
    return Path(text(name, str(default), meaning)).expanduser().absolute()
