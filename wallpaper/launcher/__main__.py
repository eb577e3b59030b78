"""`python -m wallpaper.launcher`, which `make run` calls: starts everything, prints the address,
stops everything.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from wallpaper import env
from wallpaper.launcher import sessions
from wallpaper.launcher.address import Address
from wallpaper.launcher.errors import LauncherError
from wallpaper.launcher.plan import Plan
from wallpaper.launcher.signals import Signals
from wallpaper.launcher.supervisor import Supervisor

EXIT_FAILED: Final = 1
EXIT_MISUSED: Final = 2


def read_address() -> Address:
    """The address to listen on, from HOST and PORT.

    Raises:
        ImproperlyConfigured: PORT is not a port number.
    """
    host = env.text("HOST", "127.0.0.1", "Address `make run` listens on; 0.0.0.0 for the network")
    port = env.integer("PORT", 8000, "Port `make run` listens on", minimum=1, maximum=65535)
    return Address(host.strip("[]"), port)


def read_plan() -> Plan:
    """What to run, from the settings.

    Raises:
        ImproperlyConfigured: a variable has a value that cannot be used.
    """
    from wallpaper import embedded, settings

    own_queue = embedded.valkey_url(settings.WALLPAPER_HOME) == settings.REDIS_URL
    return Plan(
        address=read_address(),
        home=settings.WALLPAPER_HOME,
        checkout=settings.BASE_DIR,
        valkey_socket=embedded.valkey_socket(settings.WALLPAPER_HOME) if own_queue else None,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 after an orderly stop, 1 when it could not start or go on, 2 for a wrong
    setting.
    """
    parser = argparse.ArgumentParser(
        prog="python -m wallpaper.launcher",
        description="Start Valkey, worker and web server; stop them with Ctrl-C. "
        "Reads HOST and PORT.",
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="stop when the calling process ends"
    )
    options = parser.parse_args(arguments)
    if options.with_parent:
        sessions.die_with_parent()
    signals = Signals()
    try:
        plan = read_plan()
        plan.make_folders()
        Supervisor(plan, signals).run()
    except ImproperlyConfigured as error:
        return _say(str(error), EXIT_MISUSED)
    except LauncherError as error:
        return _say(str(error), EXIT_FAILED)
    except OSError as error:
        return _say(f"{error.strerror or error}: {error.filename or ''}", EXIT_FAILED)
    return os.EX_OK


def _say(text: str, status: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
