"""Ctrl-C may come between any two steps of Python: recording must be what it was before."""

import sys

import numpy as np
import pytest

import nnlite
from nnlite.engine.state import STATE, recording

#: A generator that is interrupted while it is closed cannot raise.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def interrupted_at(step, run):
    """Raise KeyboardInterrupt before the given bytecode of ``run``; whether there was that many.

    What it raises is kept, as a notebook keeps the last traceback with all its frames.
    """
    left = step

    def trace(frame, event, arg):
        nonlocal left
        frame.f_trace_opcodes = True
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return trace

    kept = None
    sys.settrace(trace)
    try:
        run()
    except KeyboardInterrupt as error:
        kept = error
    finally:
        sys.settrace(None)
    return left <= 0, kept


def every_step(run, stride=1):
    """Interrupt ``run`` at one bytecode after another until it gets through."""
    step, kept = 1, []
    while True:
        hit, error = interrupted_at(step, run)
        assert STATE.recording, f"recording was left off by an interrupt at step {step}"
        assert STATE.dtype == "float32"
        if not hit:
            assert step > 30
            return
        kept.append(error)
        step += stride


def test_a_block_of_no_grad():
    def run():
        with nnlite.no_grad():
            assert not STATE.recording

    every_step(run)


def test_nested_blocks_and_one_object_entered_twice():
    off = nnlite.no_grad()

    def run():
        with off, recording(True), off:
            with nnlite.no_grad():
                pass
            assert not STATE.recording

    every_step(run)


def test_a_loop_that_goes_on_after_the_interrupt():
    def run():
        for _ in range(3):
            try:
                with nnlite.no_grad():
                    pass
            except KeyboardInterrupt:
                assert STATE.recording
                raise

    every_step(run)


def test_a_decorated_function_and_generator():
    @nnlite.no_grad()
    def f():
        return STATE.recording

    @nnlite.no_grad()
    def g():
        yield STATE.recording

    def run():
        assert not f()
        assert list(g()) == [False]

    every_step(run)


def test_a_block_of_default_dtype_ends():
    """What the constructor sets is for good; from the beginning of the block on it is put back."""

    reached = []

    def run():
        with block:
            reached.append(STATE.dtype)

    step = 1
    while True:
        block = nnlite.default_dtype("float64")
        hit, _ = interrupted_at(step, run)
        after, STATE.dtype = STATE.dtype, np.dtype("float32")
        assert after == "float32" or not reached
        if not hit:
            assert reached == ["float64"]
            return
        reached.clear()
        step += 1


@pytest.mark.parametrize("what", ["backward", "grad", "hessian"])
def test_walking_back(what):
    x = nnlite.Tensor([1.0, 2.0], requires_grad=True)

    def run():
        if what == "backward":
            np.sum(x * x).backward()
        elif what == "grad":
            nnlite.grad(np.sum(x**3), x, create_graph=True)
        else:
            nnlite.hessian(lambda t: np.sum(t * t), [1.0])

    every_step(run, stride=3)


def test_an_optimisers_closure():
    w = nnlite.Tensor([1.0], requires_grad=True)
    optimiser = nnlite.optim.SGD([w], lr=0.1)

    def closure():
        loss = np.sum(w * w)
        loss.backward()
        return loss

    def run():
        optimiser.zero_grad()
        with nnlite.no_grad():
            optimiser.step(closure)

    run()  # compiles and imports
    every_step(run, stride=7)


def test_an_error_inside_the_block_is_passed_on_and_exit_stacks_work():
    import contextlib

    with pytest.raises(KeyError), nnlite.no_grad():
        raise KeyError
    assert STATE.recording
    with contextlib.ExitStack() as stack:
        stack.enter_context(nnlite.no_grad())
        assert not STATE.recording
    assert STATE.recording
    by_hand = nnlite.no_grad()
    by_hand.__enter__()
    by_hand.__enter__()
    by_hand.__exit__(None, None, None)
    assert not STATE.recording
    by_hand.__exit__(None, None, None)
    assert STATE.recording
