"""The web server's settings: for `make run`, and for `gunicorn -c wallpaper/gunicorn_conf.py
wallpaper.wsgi`.

Threads, because requests mostly wait: for the encoder, the database, the store. The application is
not preloaded: an ONNX Runtime session must never cross a fork. Workers are not recycled
(`max_requests`): a new one would load the model again, and would lose the embeddings in memory,
which make clicks fast. A worker loads the model in the background when it starts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wallpaper import env, log_format

wsgi_app = "wallpaper.wsgi:application"
worker_class = "gthread"
workers = env.integer(
    "WEB_PROCESSES", 1, "Web processes; each holds the SAM model (about 300 MB)", minimum=1
)
threads = env.integer("WEB_THREADS", 12, "Requests handled at once by each web process", minimum=2)
preload_app = False
timeout = 120  # seconds without a heartbeat from a process; a long request alone does not count
graceful_timeout = 30
keepalive = 5  # seconds; a proxy in front reuses connections
# The heartbeat file on a disk can block for seconds while the disk is busy.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True  # nothing here uses it
accesslog = None  # a line per poll is noise; the proxy in front has its own
errorlog = "-"
loglevel = "info"
# Gunicorn's own lines have the same form: it writes the addresses of requests that failed. They do
# not propagate: Django's handler would write them a second time.
logconfig_dict = {
    "formatters": {"generic": log_format.formatter(log_format.chosen())},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": False}
    },
}


def post_worker_init(worker: Any) -> None:
    """Load the model in the new process, so that its first visitor does not wait for it."""
    del worker
    from sessions_app.inference import embeddings

    embeddings.warm_up()
