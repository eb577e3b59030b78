"""Settings for every environment: a fresh clone works with none of the variables set.

Read through `wallpaper.env`; docs/configuration.md lists all variables. The embedded default is
SQLite, files on disk and a Valkey server on a unix socket under `var/`; production sets
`DATABASE_URL`, `REDIS_URL` and `S3_BUCKET`.

Sections: this installation, Django, database, queue, storage, uploads and limits, model, backends
of generation (common, AUTOMATIC1111, Replicate, IOPaint), language, cookies and headers, logging.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from wallpaper import embedded, env, log_format

# --- this installation ----------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024

WALLPAPER_HOME = env.path(
    "WALLPAPER_HOME", BASE_DIR / "var", "Folder of all state: database, files, weights, sockets"
)
DEBUG = env.boolean("DEBUG", False, "Django's debug pages; never on a public server")
SECRET_KEY = env.text(
    "SECRET_KEY", "", "Signing key; made once and kept in WALLPAPER_HOME/secret_key when absent"
) or embedded.secret_key(WALLPAPER_HOME)
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]", "Host names this server answers to, by commas"
)
CSRF_TRUSTED_ORIGINS = env.words(
    "CSRF_TRUSTED_ORIGINS", "", "Origins (https://shop.example) allowed to post forms, by commas"
)
HTTPS_ONLY = env.boolean(
    "HTTPS_ONLY", False, "Secure cookies, HSTS, and trust in X-Forwarded-Proto"
)

# --- Django ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "django_rq",
    "sessions_app",
    "jobs",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "wallpaper.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Before the CSRF check, which reads the body of a plain form.
    "sessions_app.middleware.upload_concurrency.UploadConcurrencyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "sessions_app.visitors.VisitorMiddleware",
]

ROOT_URLCONF = "wallpaper.urls"
WSGI_APPLICATION = "wallpaper.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- database -------------------------------------------------------------------------------------

DATABASE_URL = env.text(
    "DATABASE_URL",
    f"sqlite:///{WALLPAPER_HOME / 'db.sqlite3'}",
    "Database, e.g. postgres://user:password@host/name",
)
try:
    DATABASES: dict[str, Any] = {
        "default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)
    }
except (ValueError, dj_database_url.ParseError) as error:
    raise ImproperlyConfigured(f"DATABASE_URL is not understood: {error}") from error
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE takes the write lock at BEGIN, so that two writers queue (up to `timeout`
        # seconds) instead of failing with "database is locked" in the middle of a transaction.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, not memory: the tests' real worker forks, and its child must see the same database.
    DATABASES["default"]["TEST"] = {"NAME": str(WALLPAPER_HOME / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- queue ----------------------------------------------------------------------------------------

REDIS_URL = env.text(
    "REDIS_URL",
    embedded.valkey_url(WALLPAPER_HOME),
    "Redis or Valkey >= 6.2; when absent `make run` starts an embedded Valkey",
)
GENERATE_QUEUE = "generate"
GENERATION_TIMEOUT_SECONDS = env.integer(
    "GENERATION_TIMEOUT_SECONDS", 180, "A generation running longer is stopped", minimum=10
)
GENERATION_LEASE_SECONDS = env.integer(
    "GENERATION_LEASE_SECONDS",
    90,
    "A generation without a heartbeat for this long is given to another worker",
    minimum=5,
)
RQ_QUEUES: dict[str, dict[str, Any]] = {
    GENERATE_QUEUE: {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": GENERATION_TIMEOUT_SECONDS,
        # JSON, not pickle: with pickle, write access to Redis is code execution in the worker.
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
}
RQ_SHOW_ADMIN_LINK = False

# --- storage --------------------------------------------------------------------------------------

S3_BUCKET = env.text(
    "S3_BUCKET", "", "Keep photos and results in this S3 bucket instead of on disk"
)
MEDIA_ROOT = WALLPAPER_HOME / "media"
_file_storage: dict[str, Any] = {
    "BACKEND": "sessions_app.storage.disk.WholeFileStorage",
    "OPTIONS": {"location": str(MEDIA_ROOT), "base_url": None},
}
_s3_storage: dict[str, Any] = {
    "BACKEND": "sessions_app.storage.s3.PrivateS3Storage",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": env.optional_text("S3_ENDPOINT_URL", "S3 server, when it is not AWS"),
        "region_name": env.text("S3_REGION", "us-east-1", "S3 region") or None,
        "access_key": env.optional_text(
            "S3_ACCESS_KEY_ID", "S3 key id; absent: the machine's role"
        ),
        "secret_key": env.optional_text("S3_SECRET_ACCESS_KEY", "S3 secret key"),
        "addressing_style": env.text("S3_ADDRESSING_STYLE", "auto", "auto, path or virtual"),
        "location": env.text("S3_PREFIX", "", "Folder inside the bucket"),
    },
}
STORAGES: dict[str, dict[str, Any]] = {
    "default": _s3_storage if S3_BUCKET else _file_storage,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = WALLPAPER_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- uploads and limits ---------------------------------------------------------------------------

MAX_UPLOAD_BYTES = 20 * MIB  # a 48-megapixel phone JPEG is about 15 MB
UPLOADS_AT_ONCE = env.integer(
    "UPLOADS_AT_ONCE",
    6,
    "Uploads at once in each web process, fewer than `WEB_THREADS`; others come back later",
    minimum=1,
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 40 * MIB  # the JSON API may carry a base64 mask of a large photo
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * MIB
FILE_UPLOAD_HANDLERS = [
    "sessions_app.middleware.upload_size.SizeLimitUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
ATTEMPTS_PER_SESSION = env.integer(
    "ATTEMPTS_PER_SESSION", 10, "Generations a session may ask for", minimum=1, maximum=1000
)
SESSION_LIFETIME_DAYS = env.integer(
    "SESSION_LIFETIME_DAYS", 7, "Photos and results are deleted after so many days", minimum=1
)
VIEW_MAX_SIDE_PX = 1600  # the photo as shown in the page: sharp on a laptop, about 300 KB
PREVIEW_MAX_SIDE_PX = 1280
THUMBNAIL_MAX_SIDE_PX = 320
ALLOW_PRIVATE_WALLPAPER_URLS = env.boolean(
    "ALLOW_PRIVATE_WALLPAPER_URLS", False, "Let wallpaper links point into the local network"
)

# --- model that finds the wall --------------------------------------------------------------------

SAM_MODEL_DIR = env.text(
    "SAM_MODEL_DIR", "", "Folder with encoder.onnx and sam.onnx, used instead of fetching them"
)
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
SAM_ENCODER_THREADS = env.integer(
    "SAM_ENCODER_THREADS", min(4, CORES), "Threads of one encoding", minimum=1
)
SAM_DECODER_THREADS = env.integer(
    "SAM_DECODER_THREADS", 1, "Threads of one click's decode", minimum=1
)
SAM_EXECUTION_PROVIDERS = env.words(
    "SAM_EXECUTION_PROVIDERS",
    "CPUExecutionProvider",
    "ONNX Runtime's execution providers, preferred one first",
)
EMBEDDING_MEMORY_MIB = env.integer(
    "EMBEDDING_MEMORY_MIB", 128, "Embeddings kept in each web process (6 MiB each)", minimum=6
)
EMBEDDING_TTL_SECONDS = env.integer(
    "EMBEDDING_TTL_SECONDS", 24 * 3600, "How long an embedding stays in Redis", minimum=60
)

# --- backends of generation (docs/backends.md) ----------------------------------------------------

GENERATION_BACKENDS = {
    "local": "jobs.backends.local.LocalBackend",
    "automatic1111": "jobs.backends.diffusion.automatic1111.Automatic1111",
    "replicate": "jobs.backends.diffusion.replicate.Replicate",
    "iopaint": "jobs.backends.diffusion.iopaint.IOPaint",
}
DEFAULT_GENERATION_BACKEND = env.choice(
    "DEFAULT_GENERATION_BACKEND",
    "local",
    "Who makes pictures: local, automatic1111, replicate or iopaint",
    among=GENERATION_BACKENDS,
)
DIFFUSION_MAX_SIDE_PX = env.integer(
    "DIFFUSION_MAX_SIDE_PX",
    1024,
    "Longer side of what an image service works on",
    minimum=256,
    maximum=4096,
)
DIFFUSION_STRENGTH_PERCENT = env.integer(
    "DIFFUSION_STRENGTH_PERCENT",
    25,
    "How much an image service may change the rendered wall, in per cent",
    minimum=1,
    maximum=100,
)
DIFFUSION_PROMPT = env.text(
    "DIFFUSION_PROMPT",
    "interior photograph of a room, patterned wallpaper on the wall, natural light, soft shadows",
    "What an image service is told the picture shows",
)
DIFFUSION_NEGATIVE_PROMPT = env.text(
    "DIFFUSION_NEGATIVE_PROMPT",
    "blurry, distorted pattern, text, frame, painting",
    "What an image service is told to keep out",
)

# --- backend automatic1111 ------------------------------------------------------------------------

AUTOMATIC1111_URL = env.text(
    "AUTOMATIC1111_URL", "", "Stable Diffusion server with the AUTOMATIC1111 API"
)
AUTOMATIC1111_USER = env.text("AUTOMATIC1111_USER", "", "Its user, where it asks for one")
AUTOMATIC1111_PASSWORD = env.text("AUTOMATIC1111_PASSWORD", "", "Its password")
AUTOMATIC1111_FIELDS = env.text(
    "AUTOMATIC1111_FIELDS",
    "{}",
    "JSON: fields of img2img to add, to replace or, with null, to leave out",
)
AUTOMATIC1111_TIMEOUT_SECONDS = env.integer(
    "AUTOMATIC1111_TIMEOUT_SECONDS", 150, "Longest wait for one of its pictures", minimum=5
)
AUTOMATIC1111_CONCURRENCY = env.integer(
    "AUTOMATIC1111_CONCURRENCY", 1, "Pictures asked of it at once, over all workers", minimum=1
)
AUTOMATIC1111_INTERRUPT = env.boolean(
    "AUTOMATIC1111_INTERRUPT", True, "Interrupt it when we give up; false where others use it too"
)

# --- backend replicate ----------------------------------------------------------------------------

REPLICATE_API_TOKEN = env.text("REPLICATE_API_TOKEN", "", "Key of the account that pays")
REPLICATE_API_URL = env.text(
    "REPLICATE_API_URL", "https://api.replicate.com", "Address of the service"
)
REPLICATE_MODEL = env.text(
    "REPLICATE_MODEL", "", "Model: owner/name, owner/name:version, or a version"
)
REPLICATE_INPUT = env.text(
    "REPLICATE_INPUT",
    '{"image": "$render", "mask": "$mask", "prompt": "$prompt", '
    '"negative_prompt": "$negative_prompt", '
    '"prompt_strength": "$strength", "width": "$width", "height": "$height", "seed": "$seed"}',
    "JSON: the model's input fields and which of our values each takes",
)
REPLICATE_RESULT_HOSTS = env.words(
    "REPLICATE_RESULT_HOSTS",
    "replicate.delivery,*.replicate.delivery",
    "Hosts of results; *.name: every host below it",
)
REPLICATE_TIMEOUT_SECONDS = env.integer(
    "REPLICATE_TIMEOUT_SECONDS", 150, "Longest wait for one of its pictures", minimum=5
)
REPLICATE_CONCURRENCY = env.integer(
    "REPLICATE_CONCURRENCY", 4, "Predictions at once, over all workers", minimum=1
)
REPLICATE_MAX_PREDICTIONS_PER_DAY = env.integer(
    "REPLICATE_MAX_PREDICTIONS_PER_DAY", 200, "Predictions a day (UTC); 0: no limit"
)
REPLICATE_WEBHOOK_URL = env.text(
    "REPLICATE_WEBHOOK_URL", "", "Public https address of this site, where Replicate may call back"
)
REPLICATE_WEBHOOK_SECRET = env.text(
    "REPLICATE_WEBHOOK_SECRET", "", "The account's webhook signing secret: whsec_..."
)

# --- backend iopaint ------------------------------------------------------------------------------

IOPAINT_URL = env.text("IOPAINT_URL", "", "IOPaint server")
IOPAINT_FIELDS = env.text(
    "IOPAINT_FIELDS",
    "{}",
    "JSON: fields of inpaint to add, to replace or, with null, to leave out",
)
IOPAINT_TIMEOUT_SECONDS = env.integer(
    "IOPAINT_TIMEOUT_SECONDS", 150, "Longest wait for one of its pictures", minimum=5
)
IOPAINT_CONCURRENCY = env.integer(
    "IOPAINT_CONCURRENCY", 1, "Pictures asked of it at once, over all workers", minimum=1
)

# --- language, cookies and headers ----------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
LOGIN_URL = "admin:login"

VISITOR_COOKIE_AGE_SECONDS = 365 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "sessions_app.views.errors.csrf_failure"
if HTTPS_ONLY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600

# Names as in Django 6, where this middleware is built in; see wallpaper/middleware.py.
SECURE_CSP: dict[str, list[str]] = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:", "blob:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}

# --- logging --------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": log_format.formatter(log_format.chosen())},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"django.server": {"level": "WARNING"}, "django.security": {"level": "ERROR"}},
}
