"""nnlite.random: one rule for every ``rng=`` argument."""

import threading

import numpy as np
import pytest

from nnlite import random


@pytest.fixture(autouse=True)
def _leave_a_fresh_default():
    yield
    random.seed()


def test_seed_restarts_the_default_generator():
    random.seed(7)
    first = random.default_rng().standard_normal(5)
    random.seed(7)
    np.testing.assert_array_equal(random.default_rng().standard_normal(5), first)
    random.seed(8)
    assert not np.array_equal(random.default_rng().standard_normal(5), first)


def test_default_generator_is_shared_and_advances():
    random.seed(1)
    assert random.default_rng() is random.default_rng(None)
    assert random.default_rng().random() != random.default_rng().random()


def test_integer_seed_makes_a_new_generator_with_numpys_numbers():
    np.testing.assert_array_equal(
        random.default_rng(3).random(4), np.random.default_rng(3).random(4)
    )
    assert random.default_rng(np.int32(3)) is not random.default_rng(3)


def test_seed_none_is_not_repeatable():
    random.seed()
    first = random.default_rng().random(4)
    random.seed()
    assert not np.array_equal(random.default_rng().random(4), first)


def test_generator_is_passed_through_and_bit_generators_are_wrapped():
    rng = np.random.default_rng(0)
    assert random.default_rng(rng) is rng
    wrapped = random.default_rng(np.random.PCG64(5))
    assert wrapped.random() == np.random.default_rng(5).random()


@pytest.mark.parametrize("bad", [1.5, "0", True, np.random.RandomState(0), [1, 2]])
def test_other_types_are_refused_by_name(bad):
    with pytest.raises(TypeError, match=type(bad).__name__):
        random.default_rng(bad)


def test_negative_seed_is_refused_by_value():
    with pytest.raises(ValueError, match="-1"):
        random.default_rng(-1)
    with pytest.raises(ValueError, match="-1"):
        random.seed(-1)


def test_seeding_with_a_generator_says_where_generators_go():
    with pytest.raises(TypeError, match="rng="):
        random.seed(np.random.default_rng(0))


def test_threads_share_one_default_generator_and_no_draw_is_repeated():
    random.seed(0)
    draws = [None] * 8
    start = threading.Barrier(8)

    def work(i):
        start.wait()
        draws[i] = random.default_rng().integers(0, 2**63, 500)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    together = np.sort(np.concatenate(draws))
    random.seed(0)
    np.testing.assert_array_equal(together, np.sort(random.default_rng().integers(0, 2**63, 4000)))
