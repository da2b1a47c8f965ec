"""Post-processing in its own thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from livereduce.reducer.postprocess import Job, Outcome, PostProcessor, Product
from livereduce.store.board import About
from test.fakes import wait_for, workspace

MADE = Product(files=("a.nxs",))


def job(number: int = 1) -> Job:
    about = About(run_number=number, chunk_first=0, chunk_last=0, chunks=1, data_ns=0, published_ns=0)
    return Job(snapshot=workspace([[1.0]]), about=about)


@pytest.fixture
def opened() -> Iterator[Callable[[Callable[[Job], Product]], tuple[PostProcessor, queue.Queue[Outcome]]]]:
    made: list[PostProcessor] = []

    def start(work: Callable[[Job], Product]) -> tuple[PostProcessor, queue.Queue[Outcome]]:
        outcomes: queue.Queue[Outcome] = queue.Queue()
        made.append(PostProcessor(work, outcomes.put))
        made[-1].open()
        return made[-1], outcomes

    yield start
    assert all(post.close(20.0) for post in made)


def test_jobs_run_one_at_a_time_in_the_order_given(opened: Callable[..., tuple[PostProcessor, queue.Queue[Outcome]]]) -> None:
    busy, most, seen = [0], [0], []

    def work(one: Job) -> Product:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        seen.append(one.about.run_number)
        busy[0] -= 1
        return MADE

    post, outcomes = opened(work)
    for k in range(20):
        post.start(job(k))
    done = [outcomes.get(timeout=20) for _ in range(20)]
    assert seen == list(range(20)) == [outcome.job.about.run_number for outcome in done]
    assert most == [1]
    assert all(isinstance(outcome.product, Product) and outcome.seconds >= 0 for outcome in done)


def test_handing_over_a_job_never_waits(opened: Callable[..., tuple[PostProcessor, queue.Queue[Outcome]]]) -> None:
    let_go, began = threading.Event(), threading.Event()

    def work(_: Job) -> Product:
        began.set()
        assert let_go.wait(20)
        return MADE

    post, outcomes = opened(work)
    post.start(job())
    assert began.wait(20)
    assert post.running_since_s is not None
    post.start(job())  # while the first one is stuck
    let_go.set()
    assert [outcomes.get(timeout=20).product for _ in range(2)] == [MADE, MADE]
    wait_for(lambda: post.running_since_s is None)


@pytest.mark.parametrize("raises", [ValueError("x"), SystemExit(2), KeyboardInterrupt()])
def test_what_goes_wrong_is_reported_and_the_next_job_runs(
    opened: Callable[..., tuple[PostProcessor, queue.Queue[Outcome]]], raises: BaseException
) -> None:
    def work(one: Job) -> Product:
        if one.about.run_number == 1:
            raise raises
        return MADE

    post, outcomes = opened(work)
    post.start(job(1))
    post.start(job(2))
    assert outcomes.get(timeout=20).product is raises
    assert outcomes.get(timeout=20).product is MADE


def test_a_job_that_does_not_end_is_left_behind() -> None:
    let_go, began = threading.Event(), threading.Event()

    def work(_: Job) -> Product:
        began.set()
        assert let_go.wait(20)
        return MADE

    post = PostProcessor(work, lambda _: None)
    post.open()
    post.start(job())
    assert began.wait(20)
    assert not post.close(0.01)
    let_go.set()
    assert post.close(20.0)
    assert post.running_since_s is None
