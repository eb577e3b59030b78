"""S3 through django-storages, with the choices a private store needs.

The only module that imports boto3's configuration. Checksums are sent "when required": since boto3
1.36 the default headers are refused by several S3-compatible servers (django-storages issue 1482,
boto3 issue 4398).
"""

from __future__ import annotations

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage


class PrivateS3Storage(S3Storage):  # type: ignore[misc]
    """Private objects, short signed links, s3v4 signatures; a name that exists is replaced."""

    def get_default_settings(self) -> dict[str, Any]:
        """django-storages' defaults with ours on top; settings and OPTIONS still win."""
        return {
            **super().get_default_settings(),
            "default_acl": None,
            "file_overwrite": True,  # names tell content or run, so a retry rewrites its own
            "querystring_auth": True,
            "querystring_expire": 600,
            "signature_version": "s3v4",
        }

    def __init__(self, **options: Any) -> None:
        addressing_style = options.get("addressing_style") or "auto"
        super().__init__(
            **options,
            client_config=Config(
                s3={"addressing_style": addressing_style},
                signature_version="s3v4",
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
            ),
        )
