"""Neutrons as they are counted: an event DAE in, the instrument's scripts, results out; on real processes and sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from end_to_end.service import kill, service, wait_for

from livereduce.data.events import EventWorkspace
from livereduce.data.group import WorkspaceGroup
from livereduce.simulators.events import EventDae
from livereduce.simulators.isis_event import EventServer

EVENTS = {"instrument": "ISIS_Event", "accum_method": "Add", "chunk_every": 0.1}
KEEP = "RenameWorkspace('accumulation', 'result')\n"
COUNT = "Rebin(input, '0,20000,40000', PreserveEvents=False, OutputWorkspace=output)\n"


@pytest.fixture
def dae() -> Iterator[EventServer]:
    """Two periods of 20 spectra, 500 events each 5 ms."""
    with EventServer(EventDae(periods=2, spectra=20, events=500, rate_ms=5)) as server:
        yield server


def conf(server: EventServer, **more: object) -> dict[str, object]:
    return {**EVENTS, "listener": {"type": "ISIS_Event", "address": server.address}, **more}


def total(result: object) -> float:
    members = result.members if isinstance(result, WorkspaceGroup) else (result,)
    return sum(float(member.y.sum()) for member in members)


def test_every_neutron_is_counted_in_its_spectrum_and_period(tmp_path, dae):
    with service(tmp_path, dae.address, **conf(dae, preserve_events=False)) as live:
        live.proc.write_text(COUNT)
        live.post.write_text(KEEP)
        live.start()
        live.wait_result(lambda result: total(result) > 20_000)
        dae.hang_up()
        sent = dae.dae.sent_events()
        dae.stop()
        result = live.wait_result(lambda result: total(result) == sent.sum())
        assert [member.y[:, 0].tolist() for member in result.members] == sent.tolist()


def test_events_are_kept_when_they_are_to_be(tmp_path, dae):
    with service(tmp_path, dae.address, **conf(dae, preserve_events=True)) as live:
        live.post.write_text(KEEP)
        live.start()
        result = live.wait_result(lambda result: total(result) > 5_000)
        assert all(isinstance(member, EventWorkspace) for member in result.members)
        tof = result.members[0].events.tof
        assert 10_000 <= tof.min() <= tof.max() < 20_000


def test_a_killed_reducer_loses_and_doubles_nothing(tmp_path, dae):
    with service(tmp_path, dae.address, **conf(dae, preserve_events=False)) as live:
        live.proc.write_text(COUNT)
        live.post.write_text(KEEP)
        live.start()
        for _ in range(3):
            before = total(live.wait_result())
            kill(live.pid_of("reducer"))
            live.wait_result(lambda result, before=before: total(result) > before)
        dae.hang_up()
        sent = dae.dae.sent_events()
        dae.stop()
        result = live.wait_result(lambda result: total(result) == sent.sum())
        assert [member.y[:, 0].tolist() for member in result.members] == sent.tolist()


def test_another_run_number_begins_another_run(tmp_path, dae):
    with service(tmp_path, dae.address, **conf(dae, preserve_events=False)) as live:
        live.proc.write_text(COUNT)
        live.start()
        live.wait_log("Run 1234 started")
        live.wait_result()
        port = dae.port
        dae.stop()
        with EventServer(EventDae(periods=2, spectra=20, events=500, rate_ms=5, run_number=1235), port=port):
            live.wait_log("Run 1234 ended: .*the source began another run")
            live.wait_log("Run 1235 started")
            wait_for(lambda: live.overview.reducer.run_number == 1235 and live.overview.reducer.chunks > 1, "chunks of the next run")
