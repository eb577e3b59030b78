"""The rows of the table in docs/configuration.md, made from the variables the code registers."""

from __future__ import annotations

from wallpaper import env, gunicorn_conf, settings
from wallpaper.launcher.__main__ import read_address

# Defaults that depend on the machine or the folder, as the table words them.
WORDED_DEFAULTS = {
    "WALLPAPER_HOME": "`var` in the checkout",
    "SECRET_KEY": "made once",
    "DATABASE_URL": "SQLite in `WALLPAPER_HOME`",
    "REDIS_URL": "embedded Valkey",
    "SAM_ENCODER_THREADS": "the cores, at most 4",
}
# Defaults too long for a row of the table: they stand in a block below it.
LONG_DEFAULTS = ("DIFFUSION_PROMPT", "DIFFUSION_NEGATIVE_PROMPT", "REPLICATE_INPUT")
READ_BY = (settings, gunicorn_conf)


def variables() -> dict[str, env.Variable]:
    """Every variable of the product, by name."""
    read_address()  # HOST and PORT are read when the launcher runs
    return {variable.name: variable for variable in env.variables()}


def rows() -> list[str]:
    """Markdown rows in the order the code reads them."""
    return [row(variable) for variable in variables().values()]


def row(variable: env.Variable) -> str:
    """`| name | default | meaning |`."""
    if variable.name in LONG_DEFAULTS:
        return f"| `{variable.name}` | [below](#long-defaults) | {variable.meaning} |"
    default = WORDED_DEFAULTS.get(variable.name) or (
        f"`{variable.default}`" if variable.default else "none"
    )
    return f"| `{variable.name}` | {default} | {variable.meaning} |"
