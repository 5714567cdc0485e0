"""no_grad, default_dtype and threads."""

import threading

import numpy as np
import pytest

import nnlite
from nnlite.engine.state import STATE

HANG = 1800  # seconds after which a test that hangs is ended; nothing is claimed about speed


def leaf(x):
    return nnlite.Tensor(np.array(x, float), requires_grad=True)


def test_no_grad_records_nothing_and_nests():
    x = leaf([1.0])
    with nnlite.no_grad():
        assert not (x * 2).requires_grad
        with nnlite.no_grad():
            pass
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_error():
    def fail():
        with nnlite.no_grad():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (leaf([1.0]) * 2).requires_grad


def test_no_grad_decorates_and_one_object_can_be_entered_twice():
    @nnlite.no_grad()
    def double(t):
        return t * 2

    x = leaf([1.0])
    assert not double(x).requires_grad
    assert (x * 2).requires_grad
    off = nnlite.no_grad()
    with off, off:
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_default_dtype_holds_for_a_block():
    assert STATE.dtype == "float32"
    with nnlite.default_dtype("float64"):
        assert STATE.dtype == "float64"
    assert STATE.dtype == "float32"


def in_threads(*functions):
    """Run functions at the same time; what one raises is raised here."""
    errors = []

    def guarded(f):
        try:
            f()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join(timeout=HANG)
    assert not any(t.is_alive() for t in threads)
    if errors:
        raise errors[0]


def test_no_grad_in_one_thread_does_not_reach_another():
    inside, seen = threading.Event(), threading.Event()

    def off():
        with nnlite.no_grad():
            inside.set()
            assert seen.wait(HANG)
            assert not (leaf([1.0]) * 2).requires_grad

    def on():
        assert inside.wait(HANG)
        assert (leaf([1.0]) * 2).requires_grad
        seen.set()

    in_threads(off, on)


def test_a_decorated_function_may_run_in_two_threads_at_once():
    """Each call keeps its own memory of what was on before; shared memory would mix them up."""
    first_in, second_out = threading.Event(), threading.Event()

    @nnlite.no_grad()
    def wait(mine, other):
        mine.set()
        assert other.wait(HANG)

    def recording_thread():
        wait(first_in, second_out)
        assert STATE.recording

    def silent_thread():
        assert first_in.wait(HANG)
        with nnlite.no_grad():
            wait(threading.Event(), first_in)
            assert not STATE.recording
        second_out.set()

    in_threads(recording_thread, silent_thread)


def test_threads_with_separate_graphs_do_not_disturb_each_other():
    results = {}

    def train(seed):
        def run():
            rng = np.random.default_rng(seed)
            w = leaf(rng.normal(size=(4, 3)))
            for _ in range(100):
                x = rng.normal(size=(8, 4))
                loss = np.mean(np.tanh(x @ w) ** 2)
                loss.backward()
                with nnlite.no_grad():
                    w -= 0.1 * w.grad
                w.grad = None
            return w.data

        return run

    alone = {seed: train(seed)() for seed in (1, 2, 3)}
    in_threads(*(lambda s=s: results.__setitem__(s, train(s)()) for s in (1, 2, 3)))
    for seed, w in alone.items():
        np.testing.assert_array_equal(results[seed], w)
