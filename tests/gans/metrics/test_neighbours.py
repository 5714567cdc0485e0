"""The neighbour test: exact over all splits, and sharp on copies."""

import itertools

import numpy as np
import pytest

from nnlite.gans.metrics import frechet_distance, neighbour_test


@pytest.mark.parametrize("n_train", [2, 3])
def test_mean_and_spread_are_exact_over_all_splits(n_train):
    rng = np.random.default_rng(0)
    x, pool = rng.normal(size=(9, 2)), rng.normal(size=(6, 2))
    results = []
    for chosen in itertools.combinations(range(6), n_train):
        rest = [j for j in range(6) if j not in chosen]
        results.append(neighbour_test(x, pool[list(chosen)], pool[rest]))
    values = np.array([r.value for r in results])
    assert values.mean() == pytest.approx(results[0].perfect, rel=1e-12)
    assert results[0].perfect == n_train / 6
    for r in results:  # the same from every split, as it does not depend on it
        assert r.spread == pytest.approx(values.std(), rel=1e-12)


def test_it_agrees_with_a_search_one_by_one():
    rng = np.random.default_rng(1)
    x, train, held_out = (
        rng.normal(size=(40, 3)),
        rng.normal(size=(25, 3)),
        rng.normal(size=(30, 3)),
    )
    nearer = [
        min(np.linalg.norm(a - b) for b in train) < min(np.linalg.norm(a - b) for b in held_out)
        for a in x
    ]
    assert neighbour_test(x, train, held_out).value == pytest.approx(np.mean(nearer), abs=1e-12)


def test_a_share_of_copies_moves_it_half_as_far():
    rng = np.random.default_rng(2)
    train, held_out = rng.normal(size=(2, 500, 2))
    fresh = rng.normal(size=(4000, 2))
    copies = train[rng.integers(500, size=1000)]
    honest = neighbour_test(fresh, train, held_out)
    some = neighbour_test(fresh[:3000], train, held_out)
    copying = neighbour_test(np.concatenate([fresh[:3000], copies]), train, held_out)
    assert abs(honest.z) < 4
    assert copying.value == pytest.approx(0.75 * some.value + 0.25, abs=1e-12)
    assert copying.z > 4


def test_it_sees_copies_that_the_frechet_distance_likes():
    rng = np.random.default_rng(3)
    train, held_out = rng.normal(size=(2, 400, 2))
    copies = train[rng.integers(400, size=400)]
    assert frechet_distance(copies, train).z < 4
    assert neighbour_test(copies, train, held_out).z > 8


def test_ties_count_by_halves():
    same = np.array([[0.0], [1.0]])
    x = np.array([[0.0], [1.0], [0.1]])
    assert neighbour_test(x, same, same).value == pytest.approx(0.5)


def test_data_that_are_in_both_parts_tell_nothing():
    rng = np.random.default_rng(5)
    same = rng.normal(size=(33, 50)) + 3
    assert neighbour_test(rng.normal(size=(300, 50)), same, same).value == pytest.approx(0.5)


def test_copies_are_found_far_from_the_origin():
    rng = np.random.default_rng(4)
    train, held_out = rng.normal(size=(2, 50, 2)) + 1e6
    assert neighbour_test(train, train, held_out).value == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: neighbour_test(np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 1))), "held_out"),
        (lambda: neighbour_test(np.ones((0, 2)), np.ones((3, 2)), np.ones((3, 2))), "empty"),
        (lambda: neighbour_test(np.ones((3, 2)), np.ones(3), np.ones((3, 2))), "two axes"),
    ],
)
def test_bad_input_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
