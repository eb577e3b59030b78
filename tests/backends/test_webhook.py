"""Replicate's webhooks: what is believed, what they wake and save, in whatever order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from jobs import webhooks
from jobs.backends import GenerationInputs, load_backend
from jobs.backends.diffusion import replicate, result_link
from jobs.backends.diffusion import replicate_webhook as hook
from jobs.backends.diffusion.errors import Unreachable
from jobs.backends.diffusion.replicate import Replicate
from sessions_app.queueing import redis_client
from tests.backends.calls import made, refused
from tests.backends.doubles import ReplicateDouble, cut_short
from tests.harness.factories import as_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]

KEY = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
SITE = "https://walls.example"
DIGEST = "a" * 64
BODY = b'{"id": "prediction1", "status": "succeeded", "output": "http://evil.example/x.png"}'


def signature(message_id: str, timestamp: str, body: bytes, key: bytes = KEY) -> str:
    """As the documentation has it."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send(body: bytes = BODY, *, digest: str = DIGEST, **changes: str) -> Any:
    """The answer to a webhook; `changes` are to its headers."""
    message_id = changes.pop("id", "msg_1")
    timestamp = changes.pop("timestamp", str(int(time.time())))
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": changes.pop("signature", signature(message_id, timestamp, body)),
    }
    assert not changes
    return Client(enforce_csrf_checks=True).post(
        f"/hooks/replicate/{digest}", body, content_type="application/json", headers=headers
    )


def kept(digest: str = DIGEST) -> bytes | None:
    """The prediction that the next run of the request would go on with."""
    return redis_client.get_bytes(hook.prediction_key(digest))


@pytest.fixture
def on(settings: Any, valkey: str) -> None:
    """Webhooks are set up."""
    settings.REPLICATE_WEBHOOK_URL = SITE
    settings.REPLICATE_WEBHOOK_SECRET = SECRET


@dataclass
class CallingBack(ReplicateDouble):
    """Calls back as it was asked to, instead of being done when it is polled often enough."""

    sent: list[int] = field(default_factory=list)
    calls: int = 1
    is_done: bool = False

    def told(self, prediction: str, status: str) -> dict[str, Any]:
        return super().told(prediction, "succeeded" if self.is_done else "processing")

    def call_back(self) -> None:
        while not self.created:
            time.sleep(0.01)
        digest = self.created[0]["webhook"].removeprefix(f"{SITE}/hooks/replicate/")
        self.is_done = True
        for number in range(self.calls):
            body = json.dumps(self.told("prediction1", "succeeded")).encode()
            self.sent.append(send(body, digest=digest, id=f"msg_{number // 2}").status_code)


@pytest.fixture
def calling(hosted: ReplicateDouble, on: None) -> CallingBack:
    """The service, which calls back once the test lets it."""
    hosted.__class__ = CallingBack
    hosted.sent, hosted.calls, hosted.is_done = [], 1, False  # type: ignore[attr-defined]
    return hosted  # type: ignore[return-value]


def test_without_secret_and_address_there_is_no_such_page(settings: Any, valkey: str) -> None:
    assert send().status_code == 404
    settings.REPLICATE_WEBHOOK_URL = SITE
    assert send().status_code == 404
    assert kept() is None


def test_without_them_no_call_is_asked_for(
    hosted: ReplicateDouble, inputs: GenerationInputs
) -> None:
    made(Replicate(), inputs)

    assert "webhook" not in hosted.created[0]


def test_a_signed_webhook_is_taken_and_its_id_kept(on: None) -> None:
    assert send().status_code == 204
    assert kept() == b"prediction1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": ""},
        {"signature": "v1,"},
        {"signature": "v1"},
        {"signature": signature("msg_1", "1", BODY)},
        {"signature": "v1," + "é" * 40},
        {"signature": "v2," + "A" * 44},
        {"timestamp": ""},
        {"timestamp": "-5"},
        {"timestamp": "1e9"},
        {"timestamp": "9" * 13},
        {"id": ""},
        {"id": "m" * 129},
    ],
)
def test_what_is_not_signed_just_now_is_not_believed(on: None, wrong: dict[str, Any]) -> None:
    assert send(**wrong).status_code == 401
    assert kept() is None


@pytest.mark.parametrize("seconds", [-400, 400])
def test_a_webhook_of_another_time_is_not_believed(on: None, seconds: int) -> None:
    assert send(timestamp=str(int(time.time()) + seconds)).status_code == 401
    assert kept() is None


def test_another_body_another_id_and_another_key_are_not_believed(on: None) -> None:
    now = str(int(time.time()))
    for given in (
        signature("msg_1", now, BODY + b" "),
        signature("msg_2", now, BODY),
        signature("msg_1", now, BODY, b"another key"),
    ):
        assert send(timestamp=now, signature=given).status_code == 401
    assert kept() is None


def test_one_right_signature_among_several_is_enough(on: None) -> None:
    now = str(int(time.time()))
    given = " ".join(
        (
            *("v1", "v1,A", "v1,AAAA", "v1,a,b", "v9,future"),
            signature("msg_1", now, BODY),
            signature("m", now, b""),
        )
    )

    assert send(timestamp=now, signature=given).status_code == 204


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[]", b'"x"', b"{}", b'{"id": 5}', b'{"id": "../x"}', b"[" * 100_000]
)
def test_a_signed_body_that_is_no_prediction_is_refused(on: None, body: bytes) -> None:
    assert send(body).status_code == 400
    assert kept() is None


def test_a_body_beyond_the_limit_is_not_read_to_the_end(on: None) -> None:
    body = b'{"id": "prediction1", "logs": "' + b"x" * hook.MAX_BODY_BYTES + b'"}'

    assert send(body).status_code == 413


def test_a_body_that_is_not_utf_8_is_not_believed(on: None) -> None:
    body = b'{"id": "prediction1", "logs": "\xff"}'

    assert send(body).status_code == 401
    assert kept() is None


def test_only_post_is_taken(on: None) -> None:
    answer = Client().get(f"/hooks/replicate/{DIGEST}")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_replayed_webhook_does_nothing(on: None) -> None:
    now = str(int(time.time()))
    send(timestamp=now)
    redis_client.delete_if_equal(hook.prediction_key(DIGEST), "prediction1")

    assert send(timestamp=now).status_code == 204
    assert kept() is None


def test_with_redis_away_it_is_asked_to_come_again(on: None, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"

    answer = send()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_a_webhook_never_takes_the_place_of_what_is_kept(on: None) -> None:
    hook.remember(DIGEST, "prediction0")

    assert send().status_code == 204
    assert kept() == b"prediction0"


def test_a_webhook_that_comes_after_the_end_brings_nothing_back(on: None) -> None:
    hook.remember(DIGEST, "prediction1")
    hook.forget(DIGEST, "prediction1")

    assert send().status_code == 204
    assert kept() is None


def test_the_service_is_told_where_to_call_and_for_what(
    hosted: ReplicateDouble, inputs: GenerationInputs, on: None
) -> None:
    made(Replicate(), inputs)

    (body,) = hosted.created
    assert hosted.complaints == []
    assert body["webhook"].startswith(f"{SITE}/hooks/replicate/")
    assert len(body["webhook"].rpartition("/")[2]) == 64
    assert body["webhook_events_filter"] == ["start", "completed"]


def run_called_back(
    service: CallingBack, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture whose next poll would come after its deadline."""
    monkeypatch.setattr(replicate, "FIRST_POLL_SECONDS", 60.0)
    caller = threading.Thread(target=service.call_back)
    caller.start()
    try:
        made(Replicate(), inputs)
    finally:
        caller.join(20)


def test_a_webhook_wakes_the_one_who_waits(
    calling: CallingBack, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_called_back(calling, inputs, monkeypatch)

    assert calling.sent == [204]
    assert len([one for one in calling.asked if one.startswith("GET /v1/predictions/")]) == 1


def test_webhooks_that_come_twice_and_twice_again_have_one_winner(
    calling: CallingBack, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    calling.calls = 4

    run_called_back(calling, inputs, monkeypatch)

    assert calling.sent == [204] * 4
    digest = calling.created[0]["webhook"].rpartition("/")[2]
    assert kept(digest) is None
    assert len(calling.created) == 1
    assert calling.canceled == []


def test_a_webhook_that_never_comes_is_made_up_for_by_polling(
    hosted: ReplicateDouble, inputs: GenerationInputs, on: None
) -> None:
    made(Replicate(), inputs)

    assert hosted.polls == {"prediction1": 2}


def test_what_the_webhook_says_was_made_is_not_fetched(
    calling: CallingBack, inputs: GenerationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_at: list[str] = []
    fetch = result_link.fetch_result

    def noting(url: str, **options: Any) -> bytes:
        asked_at.append(url)
        return fetch(url, **options)

    monkeypatch.setattr(replicate, "fetch_result", noting)

    run_called_back(calling, inputs, monkeypatch)

    assert asked_at == ["http://replicate.delivery/out.png"]


def test_a_create_whose_answer_was_lost_is_adopted_by_its_webhook(
    hosted: ReplicateDouble, inputs: GenerationInputs, on: None
) -> None:
    def lose(exchange: Any) -> None:
        hosted.created.append(json.loads(exchange.body))
        hosted.polls["prediction1"] = 0
        cut_short(exchange)

    hosted.made = hosted.made or picture_for(inputs)
    hosted.faults = [lose]
    assert refused(Replicate(), inputs).code == Unreachable.code
    digest = hosted.created[0]["webhook"].rpartition("/")[2]
    send(b'{"id": "prediction1", "status": "starting"}', digest=digest)

    made(Replicate(), inputs)

    assert len(hosted.created) == 1


def picture_for(inputs: GenerationInputs) -> bytes:
    """What the service makes of these inputs, more or less."""
    return as_file(inputs.photo)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"REPLICATE_WEBHOOK_SECRET": ""}, "belong together"),
        ({"REPLICATE_WEBHOOK_URL": ""}, "belong together"),
        ({"REPLICATE_WEBHOOK_SECRET": "secret"}, "must be whsec_ and base64"),
        ({"REPLICATE_WEBHOOK_SECRET": "whsec_"}, "must be whsec_ and base64"),
        ({"REPLICATE_WEBHOOK_SECRET": "whsec_!!"}, "must be whsec_ and base64"),
        ({"REPLICATE_WEBHOOK_URL": "http://walls.example"}, "must begin with https"),
        ({"REPLICATE_WEBHOOK_URL": "https://a:secret@walls.example"}, "must not contain a user"),
    ],
)
def test_a_webhook_setting_that_makes_no_sense_is_named(
    on: None, settings: Any, changes: dict[str, str], said: str
) -> None:
    settings.REPLICATE_API_TOKEN, settings.REPLICATE_MODEL = "r8_x", "own/er"
    assert load_backend("replicate").configured() is None
    for name, value in changes.items():
        setattr(settings, name, value)

    fault = load_backend("replicate").configured()

    assert fault is not None
    assert said in fault
    assert SECRET not in fault


def test_a_refusal_is_logged_without_the_secret(on: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    send(signature="v1,nonsense")

    assert "signature is not right" in caplog.text
    assert SECRET not in caplog.text
    assert webhooks.logger.name in caplog.text
