"""Kernels keep to one thread while others need the cores, and give the same numbers."""

import sys

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

from nnlite.kernels import fast
from nnlite.kernels.fast import compiling
from nnlite.kernels.fast.crowding import LIMIT, PAUSES, TRIAL, WINDOW, Crowding, waited


class Machine:
    """A clock, and threads that wait for a core for some share of the time."""

    def __init__(self):
        self.now = self.waited = 0.0
        self.crowding = Crowding(lambda: self.waited)
        self.crowding.look(self.now)

    def run(self, seconds, share):
        """Let time pass with kernels at work; the share of it that was spent on one thread."""
        alone, step = 0.0, TRIAL / 4
        for _ in range(round(seconds / step)):
            self.now += step
            self.waited += share * step
            if self.now >= self.crowding._next_look:
                self.crowding.look(self.now)
            alone += step * self.crowding.crowded
        return alone / seconds


def test_an_idle_machine_uses_its_threads_all_the_time():
    assert Machine().run(60, share=0.5 * LIMIT) == 0


def test_a_busy_machine_is_noticed_at_once_and_tried_ever_more_rarely():
    machine = Machine()
    assert machine.run(2 * WINDOW, share=2 * LIMIT) > 0.4
    assert machine.run(60, share=2 * LIMIT) > 0.98


def test_threads_come_back_when_the_machine_is_idle_again():
    machine = Machine()
    machine.run(60, share=2.0)
    machine.run(PAUSES[1] + WINDOW, share=0.0)
    assert machine.run(10, share=0.0) == 0
    assert machine.run(WINDOW + PAUSES[0], share=2.0) < 1  # and the first pause is short again


def test_a_system_that_does_not_tell_counts_as_idle():
    crowding = Crowding(lambda: None)
    assert not any(crowding() for _ in range(5))
    assert crowding._next_look == float("inf")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_waiting_is_measured_where_the_system_tells():
    first = waited()
    if first is None:
        pytest.skip("this kernel keeps no scheduling statistics")
    assert 0 <= first <= waited()


@pytest.fixture
def alone():
    """A machine that is crowded for good."""
    before = compiling.crowded._next_look
    compiling.crowded.crowded, compiling.crowded._next_look = True, float("inf")
    yield
    compiling.crowded.crowded, compiling.crowded._next_look = False, before


def everything(rng):
    """Results of threaded kernels, of sums over the batch above all."""
    x, g = rng.standard_normal((2, 16, 8, 24, 24)).astype(np.float32)
    w = rng.standard_normal((8, 8, 3, 3)).astype(np.float32)
    one = np.ones(8, np.float32)
    rows = x.reshape(256, -1)
    yield fast.conv2d(x, w, padding=(1, 1))
    yield fast.conv2d_weight_grad(x, g, w.shape, padding=(1, 1))
    yield from fast.batch_norm_forward(x, one, one, 1e-5)
    yield from fast.linear_backward(rows[:, :64], rows[:, :64], rows[:, 64:], rows[:64, 64:])
    yield fast.bce_with_logits(x, g)[0]
    yield fast.channel_sums(x)


def test_results_are_the_same_to_the_bit(request):
    many = [np.copy(a) for a in everything(np.random.default_rng(0))]
    request.getfixturevalue("alone")
    threads = numba.get_num_threads()
    for a, b in zip(many, everything(np.random.default_rng(0)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert numba.get_num_threads() == threads


def test_a_kernel_on_one_thread_leaves_the_number_of_threads_after_an_error(alone):
    threads = numba.get_num_threads()
    with pytest.raises(TypeError):
        fast.steps._sgd("no such arguments", 2)
    assert numba.get_num_threads() == threads


def test_only_the_calling_thread_works_while_others_need_the_cores(alone):
    counts = []
    compiling._alone(lambda nt: counts.append(compiling._pool_size()), (2,))
    assert counts == [1]
