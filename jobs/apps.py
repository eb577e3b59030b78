"""Queues, tasks and the worker."""

from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Has no models of its own: the rows of `sessions_app` are the truth about a job."""

    name = "jobs"
