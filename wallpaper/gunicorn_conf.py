"""The web server's settings, for `make run` and for production (`gunicorn -c wallpaper/gunicorn_conf.py wallpaper.wsgi`).

Threads, because requests mostly wait: for the encoder, the database, the store. The application is not preloaded: an ONNX
Runtime session must never cross a fork. Workers are not recycled (`max_requests`): each new one would load the model
again, and embeddings in its memory are what makes clicks fast. Each loads it when it starts, beside serving already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wallpaper import env

wsgi_app = "wallpaper.wsgi:application"
worker_class = "gthread"
workers = env.integer(
    "WEB_PROCESSES", 1, "Web processes; each holds the SAM model (about 300 MB)", minimum=1
)
threads = env.integer("WEB_THREADS", 12, "Requests handled at once by each web process", minimum=2)
preload_app = False
timeout = 120  # seconds without a sign of life from a process; a long request alone does not count
graceful_timeout = 30
keepalive = 5  # seconds; a proxy in front reuses connections
# The heartbeat file on a disk can block for seconds while the disk is busy.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True  # one fewer thing to guard; nothing here uses it
accesslog = None  # a line per poll is noise; the proxy in front has its own
errorlog = "-"
loglevel = "info"


def post_worker_init(worker: Any) -> None:
    """In the new process, when the application is there: the first visitor should not wait for the model."""
    del worker
    from sessions_app.inference import embeddings

    embeddings.warm_up()
