"""What can happen to real workers: killed, stopped, cut off, too slow."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import pytest
from django.db import connection, connections

from sessions_app.models import Generation, Session
from sessions_app.queueing import queues
from tests.harness import farm as farms
from tests.harness import servers
from tests.harness.factories import make_ready_session
from tests.harness.farm import Farm, alive, ask, kill, point_at, results
from wallpaper.launcher import sessions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PICTURES_OF_RUN = {run: [f"1-{run}.jpg", f"1-{run}.png"] for run in (1, 2)}


def completed_once(generation: Generation, *, run: int) -> None:
    """The one picture of that run is there, nothing of any other, and one attempt is used."""
    assert generation.state == Generation.State.COMPLETED, generation.error_detail
    assert generation.run == run
    assert results(generation) == PICTURES_OF_RUN[run]
    assert generation.session.attempts_left == 9
    assert generation.session.status == Session.Status.COMPLETED


def test_a_killed_worker_with_its_process_is_replaced_by_another(farm: Farm) -> None:
    generation = ask()
    worker = farm.worker()
    horse = farm.wait_for_horse()

    kill(worker.pid)
    kill(horse)
    farm.say("go")
    farm.worker()

    completed_once(farm.ended(generation), run=2)


def test_an_orphan_that_ends_late_overwrites_nothing(farm: Farm) -> None:
    generation = ask()
    worker = farm.worker()
    orphan = farm.wait_for_horse()
    kill(worker.pid)  # the parent only

    farm.worker()
    farm.say(f"go-{farm.wait_for_horse(2)}")
    won = farm.ended(generation).result_digest
    farm.say(f"go-{orphan}")
    farm.wait(lambda: not alive(orphan), "end of the orphan")

    generation.refresh_from_db()
    assert generation.result_digest == won
    completed_once(generation, run=2)


def test_an_orphan_that_ends_in_time_is_the_winner(farm: Farm) -> None:
    generation = ask()
    worker = farm.worker()
    farm.wait_for_horse()

    kill(worker.pid)
    farm.say("go")

    completed_once(farm.ended(generation), run=1)


def test_a_worker_told_to_stop_finishes_its_picture(farm: Farm) -> None:
    generation, waiting = ask(), ask()
    worker = farm.worker()
    farm.wait_for_horse()

    worker.terminate()
    farm.say("go")

    assert worker.wait(farms.PATIENCE_SECONDS) == 0
    completed_once(farm.ended(generation), run=1)
    waiting.refresh_from_db()
    assert waiting.state == Generation.State.QUEUED


def test_a_killed_valkey_comes_back_with_its_queue(farm: Farm) -> None:
    waiting = [ask() for _ in range(3)]

    kill(farm.valkey.pid)
    farm.valkey.wait()
    farm.start_valkey()
    farm.say("go")
    farm.worker()

    for generation in waiting:
        completed_once(farm.ended(generation), run=1)


def test_a_valkey_that_lost_everything_is_filled_again_and_idle_workers_live_on(
    farm: Farm,
) -> None:
    worker = farm.worker()
    farm.wait(lambda: queues.queue_state().workers == 1, "worker")
    kill(farm.valkey.pid)
    farm.valkey.wait()
    farm.start_valkey(empty=True)
    generation = ask()
    queues.generation_queue().connection.flushall()

    farm.say("go")

    completed_once(farm.ended(generation), run=1)
    assert worker.poll() is None


def test_a_picture_is_finished_while_valkey_is_away(farm: Farm) -> None:
    generation = ask()
    worker = farm.worker()
    farm.wait_for_horse()

    kill(farm.valkey.pid)
    farm.valkey.wait()
    farm.say("go")
    completed_once(farm.ended(generation), run=1)
    farm.start_valkey()

    completed_once(farm.ended(ask()), run=1)
    assert worker.poll() is None


def test_a_database_that_is_locked_for_a_while_delays_and_breaks_nothing(farm: Farm) -> None:
    generation = ask()
    connection.close()
    writer = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    farm.say("go")
    farm.worker()

    farm.wait(lambda: not queues.generation_queue().job_ids, "start of the job")
    time.sleep(2)
    assert not farm.horses()
    writer.execute("ROLLBACK")
    writer.close()

    completed_once(farm.ended(generation), run=1)


def test_a_store_that_is_away_for_a_while_is_tried_again(farm: Farm) -> None:
    generation = ask()
    farm.say("away")
    farm.say("go")
    farm.worker()

    def waits_for_another_try() -> bool:
        generation.refresh_from_db()
        return generation.run == 2 and generation.state == Generation.State.QUEUED

    farm.wait(waits_for_another_try, "second try")
    farm.unsay("away")

    completed_once(farm.ended(generation), run=2)


def test_a_store_that_is_full_keeps_no_half_picture_and_is_tried_again(farm: Farm) -> None:
    generation = ask()
    farm.say("full", "512")
    farm.say("go")
    farm.worker()

    def waits_for_another_try() -> bool:
        generation.refresh_from_db()
        return generation.run == 2 and generation.state == Generation.State.QUEUED

    farm.wait(waits_for_another_try, "second try")
    assert results(generation) == []
    farm.unsay("full")

    completed_once(farm.ended(generation), run=2)


def test_a_store_that_takes_longer_than_the_lease_loses_nothing(farm: Farm) -> None:
    generation = ask()
    farm.say("slow", str(farms.LEASE_SECONDS - 1))  # for each of the two objects
    farm.say("go")
    farm.worker()
    farm.worker()

    completed_once(farm.ended(generation), run=1)
    assert len(farm.horses()) == 1


def test_two_workers_with_a_job_each_for_one_row_make_one_picture(farm: Farm) -> None:
    generation = ask()
    queues.enqueue_generation(generation.pk, 1)
    queues.enqueue_again(generation.pk, 1)
    assert len(queues.generation_queue()) == 2
    farm.worker()
    farm.worker()
    farm.wait_for_horse()
    farm.wait(lambda: not queues.generation_queue().job_ids, "empty queue")

    farm.say("go")

    completed_once(farm.ended(generation), run=1)
    assert len(farm.horses()) == 1


def test_a_picture_stuck_in_native_code_is_stopped_from_outside(
    transactional_db: None, settings: Any
) -> None:
    with farms.farm(timeout=2) as farm:
        point_at(farm, settings)
        settings.GENERATION_TIMEOUT_SECONDS = 2
        generation = ask("native")
        farm.worker()
        horse = farm.wait_for_horse()

        farm.ended(generation)

        assert (generation.state, generation.error_code) == (Generation.State.FAILED, "too_slow")
        assert generation.session.attempts_left == 10
        farm.wait(lambda: not alive(horse), "end of the process")


def test_polling_goes_on_after_a_restart_of_the_web_server(farm: Farm) -> None:
    from tests.harness.stack import Stack

    generation = ask(session=make_ready_session(source=Session.Source.API))
    path = f"/v1/sessions/{generation.session_id}/status"
    farm.worker()
    farm.wait_for_horse()
    port = servers.free_port()
    web = farm.web(port)
    page = Stack(f"http://127.0.0.1:{port}", farm.folder, web, farm.folder / "web.log")

    assert page.get_json(path)[1]["status"] == "generating"
    sessions.kill(web.pid)
    web.wait()
    farm.say("go")
    farm.ended(generation)
    farm.web(port)

    status, body = page.get_json(path)
    assert (status, body["status"]) == (200, "completed")
    connections.close_all()
