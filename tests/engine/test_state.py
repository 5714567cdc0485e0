"""no_grad, default_dtype and threads."""

import asyncio
import functools
import inspect
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


# ---- functions that stop and go on -----------------------------------------------------------


def test_a_decorated_generator_records_nothing_while_its_body_runs():
    x, seen = leaf([1.0]), []

    @nnlite.no_grad()
    def batches():
        """Docs."""
        got = None
        try:
            while True:
                seen.append((x * 2).requires_grad)
                try:
                    got = yield x * 2, got
                except KeyError as error:
                    seen.append((x * 2).requires_grad)
                    got = error
        finally:
            seen.append((x * 2).requires_grad)

    steps = batches()
    assert inspect.isgeneratorfunction(batches)
    assert batches.__doc__ == "Docs."
    assert not next(steps)[0].requires_grad
    assert (x * 2).requires_grad
    assert steps.send("sent")[1] == "sent"
    assert (x * 2).requires_grad
    assert isinstance(steps.throw(KeyError())[1], KeyError)
    assert (x * 2).requires_grad
    steps.close()
    assert (x * 2).requires_grad
    assert seen == [False] * 5


def test_a_decorated_generator_returns_its_value_and_passes_errors_on():
    @nnlite.no_grad()
    def counted():
        yield 1
        return STATE.recording

    def outer():
        result.append((yield from counted()))

    result = []
    assert list(outer()) == [1]
    assert result == [False]

    @nnlite.no_grad()
    def fails():
        yield 1
        raise OSError

    with pytest.raises(OSError):
        list(fails())
    assert STATE.recording
    with nnlite.no_grad():  # left as it is, also where it was off
        for _ in counted():
            assert not STATE.recording
    assert STATE.recording


@pytest.mark.parametrize(
    "wrap",
    [
        lambda g: lambda: g(),
        functools.partial,
        lambda g: type("Callable", (), {"__call__": lambda self: g()})(),
        lambda g: lambda: (STATE.recording for _ in range(2)),
    ],
)
def test_what_returns_a_generator_is_decorated_like_one(wrap):
    def states():
        yield STATE.recording
        yield STATE.recording

    steps = nnlite.no_grad()(wrap(states))()
    assert next(steps) is False
    assert STATE.recording
    assert list(steps) == [False]


def test_decorated_coroutines_do_not_reach_other_tasks():
    seen = {"on": [], "off": []}

    @nnlite.no_grad()
    async def silent():
        for _ in range(3):
            seen["off"].append(STATE.recording)
            await asyncio.sleep(0)
        return "done"

    async def loud():
        for _ in range(3):
            seen["on"].append(STATE.recording)
            await asyncio.sleep(0)

    async def main():
        return await asyncio.gather(silent(), loud())

    assert inspect.iscoroutinefunction(silent)
    assert asyncio.run(main()) == ["done", None]
    assert seen == {"on": [True] * 3, "off": [False] * 3}


def test_a_decorated_coroutine_can_be_cancelled():
    seen = []

    @nnlite.no_grad()
    async def waits():
        try:
            await asyncio.sleep(60)
        finally:
            seen.append(STATE.recording)

    async def main():
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        seen.append(STATE.recording)

    asyncio.run(main())
    assert seen == [False, True]


def test_a_decorated_asynchronous_generator():
    seen = []

    @nnlite.no_grad()
    async def stream():
        try:
            while True:
                await asyncio.sleep(0)
                try:
                    got = yield STATE.recording
                except KeyError:
                    got = "thrown"
                seen.append((got, STATE.recording))
        finally:
            seen.append(("closed", STATE.recording))

    async def main():
        steps = stream()
        assert await steps.__anext__() is False
        assert STATE.recording
        assert await steps.asend("sent") is False
        assert await steps.athrow(KeyError()) is False
        await steps.aclose()
        assert STATE.recording

    assert inspect.isasyncgenfunction(stream)
    asyncio.run(main())
    assert seen == [("sent", False), ("thrown", False), ("closed", False)]


def test_no_grad_without_brackets_decorates():
    @nnlite.no_grad
    def f():
        return STATE.recording

    @nnlite.no_grad
    def g():
        yield STATE.recording

    assert not f()
    assert list(g()) == [False]
    assert STATE.recording
    assert f.__name__ == "f"


def test_methods_of_all_kinds_can_be_decorated():
    class Model:
        @nnlite.no_grad()
        def plain(self):
            return STATE.recording

        @nnlite.no_grad()
        @staticmethod
        def static():
            return STATE.recording

        @nnlite.no_grad
        @classmethod
        def of_class(cls):
            return STATE.recording

        @property
        @nnlite.no_grad()
        def attribute(self):
            return STATE.recording

    m = Model()
    assert (m.plain(), m.static(), m.of_class(), m.attribute) == (False,) * 4


def test_a_block_needs_brackets():
    with pytest.raises(TypeError, match=r"with nnlite\.no_grad\(\):.*brackets"), nnlite.no_grad:
        pass
    assert STATE.recording


def test_what_no_grad_does_not_decorate():
    with pytest.raises(TypeError, match=r"Model is a class.*Decorate its methods"):

        @nnlite.no_grad()
        class Model:
            pass

    for wrong in (5, True, None, leaf([1.0])):
        with pytest.raises(TypeError, match=r"takes no argument.*with nnlite\.no_grad\(\):"):
            nnlite.no_grad(wrong)
