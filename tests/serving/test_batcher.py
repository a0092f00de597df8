"""Requests are computed together, let in by the deadline, and answered once let in."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanlp_tutor.serving.batcher import Batcher, Batching, QueueFull, Stopping


def shout(texts):
    return [text.upper() for text in texts]


class Slow:
    """A model that takes its time and remembers its batches; it begins when it is told."""

    def __init__(self, seconds=0.0):
        self.seconds, self.batches, self.go = seconds, [], threading.Event()
        self.begun = threading.Event()

    def __call__(self, texts):
        self.batches.append(list(texts))
        self.begun.set()
        assert self.go.wait(10)
        time.sleep(self.seconds)
        return shout(texts)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.text("abc", max_size=8), max_size=5), max_size=20), st.integers(1, 9))
def test_each_gets_its_own_answers_in_order(requests, most):
    batcher = Batcher(shout, Batching(texts=most, wait=0))
    futures = [batcher.submit(texts) for texts in requests]
    assert [future.result(10) for future in futures] == [shout(texts) for texts in requests]
    assert batcher.close(10)


def test_what_arrives_during_a_computation_is_computed_together():
    model = Slow()
    batcher = Batcher(model, Batching(texts=4, wait=0))
    first = batcher.submit(["a"])
    assert model.begun.wait(10)
    others = [batcher.submit([text]) for text in "bcdef"]
    assert batcher.waiting == 5
    model.go.set()
    assert first.result(10) == ["A"] and [f.result(10) for f in others] == [[t.upper()] for t in "bcdef"]
    assert model.batches == [["a"], ["b", "c", "d", "e"], ["f"]]
    batcher.close()


def test_an_answer_is_counted_before_it_leaves():
    counted = []

    def slowly(texts, seconds):
        time.sleep(0.2)
        counted.append(texts)

    batcher = Batcher(shout, Batching(wait=0), seen=slowly)
    assert batcher.submit(["a", "b"]).result(10) == ["A", "B"] and counted == [2]
    batcher.close()


def test_a_batch_waits_a_little_for_more():
    model = Slow()
    model.go.set()
    batcher = Batcher(model, Batching(texts=3, wait=5))
    with ThreadPoolExecutor(3) as pool:  # the third fills the batch, which then does not wait any longer
        assert list(pool.map(lambda t: batcher.submit([t]).result(4), "abc")) == [["A"], ["B"], ["C"]]
    assert len(model.batches) == 1
    batcher.close()


def test_characters_limit_a_batch_and_a_long_text_goes_alone():
    model = Slow()
    batcher = Batcher(model, Batching(texts=9, characters=100, wait=0))
    batcher.submit(["x"])
    assert model.begun.wait(10)
    futures = [batcher.submit([text]) for text in ("a" * 30, "b" * 30, "c" * 500, "d")]
    model.go.set()
    for future in futures:
        future.result(10)
    assert [[len(text) for text in batch] for batch in model.batches] == [[1], [30, 30], [500], [1]]
    batcher.close()


def test_a_full_queue_refuses_and_says_when_to_come_back():
    model = Slow()
    batcher = Batcher(model, Batching(texts=1, wait=0, queue=3))
    batcher.submit(["a"])
    assert model.begun.wait(10)
    kept = [batcher.submit([text]) for text in "bcd"]
    with pytest.raises(QueueFull) as refused:
        batcher.submit(["e"])
    assert refused.value.retry_after >= 1 and batcher.waiting == 3
    model.go.set()
    assert [future.result(10) for future in kept] == [["B"], ["C"], ["D"]]
    assert batcher.submit(["e"]).result(10) == ["E"]
    batcher.close()


def test_who_would_wait_longer_than_the_deadline_is_refused():
    model = Slow(seconds=0.2)
    model.go.set()
    batcher = Batcher(model, Batching(texts=1, wait=0, deadline=1.0))
    batcher.submit(["a"]).result(10)  # now its speed is known: five a second
    let_in, refused = [], 0
    for _ in range(20):
        try:
            let_in.append((time.monotonic(), batcher.submit(["b"])))
        except QueueFull:
            refused += 1
    assert 2 <= len(let_in) <= 5 and refused >= 15
    for began, future in let_in:
        future.result(10)
        assert time.monotonic() - began < 1.5
    batcher.close()


def test_a_request_too_long_for_the_deadline_is_let_in_where_nobody_waits():
    model = Slow(seconds=0.05)
    model.go.set()
    batcher = Batcher(model, Batching(deadline=0.01, wait=0))
    batcher.submit(["a"]).result(10)
    assert batcher.submit(["b" * 5000]).result(10) == ["B" * 5000]
    batcher.close()


def test_the_text_that_cannot_be_answered_fails_alone_and_the_thread_lives_on():
    gate = threading.Event()

    def choosy(texts):
        gate.wait(10)
        if "bad" in texts:
            raise ValueError("bad")
        return shout(texts)

    batcher = Batcher(choosy, Batching(wait=0))
    futures = [batcher.submit([text]) for text in ("a", "good", "bad", "also good")]
    gate.set()
    assert futures[1].result(10) == ["GOOD"] and futures[3].result(10) == ["ALSO GOOD"]
    with pytest.raises(ValueError, match="bad"):
        futures[2].result(10)
    assert batcher.alive and batcher.submit(["a"]).result(10) == ["A"]
    batcher.close()


def test_a_stop_answers_what_was_let_in_and_lets_nobody_in():
    model = Slow()
    batcher = Batcher(model, Batching(texts=1, wait=0))
    futures = [batcher.submit([text]) for text in "abc"]
    closing = threading.Thread(target=batcher.close)
    closing.start()
    time.sleep(0.05)
    with pytest.raises(Stopping):
        batcher.submit(["d"])
    assert not batcher.alive
    model.go.set()
    closing.join(10)
    assert [future.result(0) for future in futures] == [["A"], ["B"], ["C"]]
