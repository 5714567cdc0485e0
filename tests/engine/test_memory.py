"""Graphs are let go: by backward, by reference counting alone, and over 10,000 steps."""

import gc
import sys
import tracemalloc
import weakref

import numpy as np

import nnlite


def leaf(x):
    return nnlite.Tensor(np.array(x, float), requires_grad=True)


def without_collector(f):
    """Run with the cycle collector off: what dies here dies by its reference count."""
    gc.collect()
    gc.disable()
    try:
        return f()
    finally:
        gc.enable()


def test_backward_frees_what_it_passed():
    def run():
        x = leaf(np.ones(1000))
        h = np.exp(x)
        y = np.sum(h * 2)
        alive = weakref.ref(h)
        del h
        assert alive() is not None  # the graph holds it
        y.backward()
        assert alive() is None

    without_collector(run)


def test_a_graph_without_backward_dies_with_its_result():
    def run():
        x = leaf(np.ones(1000))
        h = np.exp(x)
        y = np.sum(h * h + h)
        alive = weakref.ref(h)
        del h, y
        assert alive() is None

    without_collector(run)


def test_second_order_graphs_are_not_cycles():
    def run():
        x = leaf(np.ones(10))
        y = np.sum(np.exp(x) ** 3)
        g = nnlite.grad(y, x, create_graph=True)
        z = np.sum(g * g)
        nnlite.grad(z, x)
        alive = [weakref.ref(t) for t in (y, g, z)]
        del y, g, z
        assert all(r() is None for r in alive)

    without_collector(run)


def test_no_grad_keeps_nothing_alive():
    x = leaf(np.ones(10))
    with nnlite.no_grad():
        h = np.exp(x)
        alive = weakref.ref(h)
        y = h * 2
        del h
    assert alive() is None
    assert y.is_leaf


def test_ten_thousand_steps_do_not_grow():
    """Training of a small network: after a warm-up, memory in use stays where it is."""
    rng = np.random.default_rng(0)
    W, v = leaf(rng.normal(size=(4, 3))), leaf(rng.normal(size=3))
    x, target = rng.normal(size=(8, 4)), rng.normal(size=8)

    def steps(n):
        for _ in range(n):
            loss = np.mean((np.tanh(x @ W) @ v - target) ** 2)
            loss.backward()
            with nnlite.no_grad():
                W.data -= 0.01 * W.grad
                v.data -= 0.01 * v.grad
            W.grad = v.grad = None

    def blocks_after(n):
        steps(n)
        return sys.getallocatedblocks()

    def bytes_after(n):
        steps(n)
        return tracemalloc.get_traced_memory()[0]

    # the first steps fill Python's own free lists, once
    grown = without_collector(lambda: -blocks_after(2_000) + blocks_after(10_000))
    assert grown < 500  # one forgotten node per step would be 10,000

    # The same in bytes, arrays included; watched memory is slow, so fewer steps. Before they count,
    # Python's free list of 2,000 pairs must have turned over once under watch.
    tracemalloc.start()
    try:
        grown = without_collector(lambda: -bytes_after(2_500) + bytes_after(500))
    finally:
        tracemalloc.stop()
    assert grown < 10_000
