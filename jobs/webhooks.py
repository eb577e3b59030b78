"""The address where Replicate calls back: 404 unless its secret and our address are configured."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from jobs.backends.diffusion import replicate_webhook as hook

logger = logging.getLogger(__name__)


# No cookie gives authority here, the signature does: a browser cannot help to forge it.
@csrf_exempt
def replicate(request: HttpRequest, digest: str) -> HttpResponse:
    """Take one webhook.

    204: acted on, now or before. 4xx: not believed. 503: to be sent again.
    """
    if not hook.is_enabled():
        return _refusal("not_found", "There is nothing at this address.", 404)
    if request.method != "POST":
        refused = _refusal("method_not_allowed", "Only POST is taken here.", 405)
        refused.headers["Allow"] = "POST"
        return refused
    body = request.read(hook.MAX_BODY_BYTES + 1)
    if len(body) > hook.MAX_BODY_BYTES:
        return _refusal("too_big", "The body is too large.", 413)
    try:
        headers = {name.lower(): value for name, value in request.headers.items()}
        message_id = hook.verify(headers, body)
        done = hook.handle(digest, message_id, body)
    except hook.BadWebhookError as error:
        logger.warning("webhook refused: %s", error)
        return _refusal("bad_webhook", f"Refused: {error}.", error.status)
    except hook.RedisAwayError:
        refused = _refusal("unavailable", "Please send it again later.", 503)
        refused.headers["Retry-After"] = "10"
        return refused
    logger.info("webhook: %s", done)
    return HttpResponse(status=204)


def _refusal(code: str, message: str, status: int) -> HttpResponse:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)
