"""nnlite.datasets.faces: what is asked for is drawn, and what is drawn can be read."""

import numpy as np
import pytest

from nnlite.datasets import (
    FACE_DTYPE,
    face_attributes,
    faces,
    random_attributes,
    read_attributes,
    read_scores,
)
from nnlite.pca import PCA

BINARY = ("man", "glasses", "beard", "hair")


@pytest.fixture(scope="module")
def fresh():
    """Faces the reader has not seen (it trains on draws of its own seed)."""
    return faces(2000, rng=123)


def test_same_seed_same_faces_and_drawing_itself_is_deterministic():
    X, a = faces(5, rng=0)
    again = faces(5, rng=0)
    np.testing.assert_array_equal(X, again.X)
    np.testing.assert_array_equal(a, again.attributes)
    np.testing.assert_array_equal(faces(attributes=a).X, X)
    assert not np.array_equal(X, faces(5, rng=1).X)


def test_shapes_dtypes_and_range():
    grey, colour = faces(3, rng=0, size=28), faces(3, rng=0, color=True, dtype="float64")
    assert grey.X.shape == (3, 28, 28)
    assert grey.X.dtype == np.float32
    assert colour.X.shape == (3, 3, 32, 32)
    assert colour.X.dtype == np.float64
    assert grey.attributes.dtype == FACE_DTYPE
    for X in (grey.X, colour.X):
        assert X.min() >= 0
        assert X.max() <= 1
    assert faces(0).X.shape == (0, 32, 32)
    assert faces().X.shape == (1, 32, 32)


def test_grey_is_the_luma_of_the_colour_picture():
    a = random_attributes(20, rng=2)
    colour = faces(attributes=a, color=True, dtype="float64").X
    luma = np.einsum("nchw,c->nhw", colour, [0.299, 0.587, 0.114])
    # Both are drawn in float32 with some thirty layers: 30 * eps = 4e-6.
    np.testing.assert_allclose(faces(attributes=a).X, luma, atol=5e-6)


def test_faces_do_not_depend_on_their_neighbours():
    a = random_attributes(300, rng=3)  # more than one chunk
    X = faces(attributes=a).X
    np.testing.assert_array_equal(faces(attributes=a[290:291]).X[0], X[290])


@pytest.mark.parametrize("name", FACE_DTYPE.names)
def test_every_attribute_changes_the_picture_and_only_where_it_should(name):
    low, high = (
        (face_attributes(man=True, **{name: v}) for v in (0, 1))
        if name != "man"
        else (
            face_attributes(man=False),
            face_attributes(man=True),
        )
    )
    difference = np.abs(faces(attributes=high).X - faces(attributes=low).X)[0]
    assert difference.max() > 0.1
    assert difference[:, [0, -1]].max() == 0  # the margin is background or shirt
    rows = {"smile": slice(19, 26), "glasses": slice(10, 20)}.get(name)
    if rows is not None:
        outside = np.delete(difference, np.r_[rows], axis=0)
        assert outside.max() == 0


def test_edges_are_anti_aliased():
    """Halving the pixel halves the area error: the grey edge carries the sub-pixel position."""
    sizes = (32, 64)
    ink = [faces(attributes=face_attributes(skin=1.0), size=s).X.mean() for s in (*sizes, 256)]
    # Hard edges would jump by whole pixels, ~ 1/size of the outline; coverage is second order.
    assert abs(ink[0] - ink[2]) < 0.01
    assert abs(ink[1] - ink[2]) < 0.005


def test_random_attributes_have_the_shares_they_promise():
    n = 20_000
    a = random_attributes(n, rng=0)
    se = 4 * 0.5 / np.sqrt(n)
    assert abs(a["man"].mean() - 0.5) < se
    assert abs(a["glasses"].mean() - 0.4) < se
    assert abs(a["beard"][a["man"]].mean() - 0.4) < 2 * se
    assert not a["beard"][~a["man"]].any()
    assert a["hair"][~a["man"]].all()
    # Glasses are independent of sex: the difference of two shares, 4 standard errors.
    assert abs(a["glasses"][a["man"]].mean() - a["glasses"][~a["man"]].mean()) < 2 * se
    for name in ("smile", "turn"):
        assert abs(a[name].mean()) < 4 * (2 / np.sqrt(12)) / np.sqrt(n)


def test_reader_recovers_the_attributes_of_faces_it_has_not_seen(fresh):
    read = read_attributes(fresh.X)
    a = fresh.attributes
    for name in BINARY:
        assert np.mean(read[name] == a[name]) >= 0.999, name
    hair = a["hair"]
    for name, limit in (
        ("skin", 0.01),
        ("turn", 0.06),
        ("hair_length", 0.07),
        ("hair_shade", 0.06),
        ("smile", 0.19),
    ):
        rows = hair if name.startswith("hair") else slice(None)
        error = np.sqrt(np.mean((read[name] - a[name])[rows] ** 2))
        assert error < limit, (name, error)


def test_reader_works_on_colour_flat_and_other_sizes(fresh):
    a = fresh.attributes[:300]
    X = fresh.X[:300]
    np.testing.assert_array_equal(read_attributes(X.reshape(300, -1)), read_attributes(X))
    np.testing.assert_array_equal(read_attributes(X[:, None]), read_attributes(X))
    colour = read_attributes(faces(attributes=a, color=True).X)
    small = read_attributes(faces(attributes=a, size=28).X)
    large = read_attributes(faces(attributes=a, size=50).X)
    for name in BINARY:
        for read in (colour, small, large):
            assert np.mean(read[name] == a[name]) >= 0.99
    assert np.sqrt(np.mean((large["turn"] - a["turn"]) ** 2)) < 0.08


def test_reader_is_steady_on_blurred_and_noisy_faces(fresh):
    flat = fresh.X.reshape(len(fresh.X), -1)
    pca = PCA(60).fit(flat)
    blurred = pca.inverse_transform(pca.transform(flat))
    noisy = flat + 0.03 * np.random.default_rng(0).standard_normal(flat.shape)
    for X in (blurred, noisy):
        read = read_attributes(X)
        for name in BINARY:
            assert np.mean(read[name] == fresh.attributes[name]) >= 0.99, name
        assert np.sqrt(np.mean((read["smile"] - fresh.attributes["smile"]) ** 2)) < 0.25


def test_scores_decide_the_yes_or_no(fresh):
    X = fresh.X[:50]
    scores, read = read_scores(X), read_attributes(X)
    for name in BINARY:
        np.testing.assert_array_equal(scores[name] > 0, read[name])
    assert set(scores.dtype.names) == set(FACE_DTYPE.names)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: face_attributes(moustache=True), r"moustache.*they have"),
        (lambda: face_attributes(skin=1.5), r"skin must be between 0 and 1.*1\.5"),
        (lambda: face_attributes(glasses=0.5), "glasses is yes or no"),
        (lambda: face_attributes(smile=[0, 1], turn=[0, 0, 0]), "'smile': 2, 'turn': 3"),
        (lambda: read_attributes(np.full((1, 32, 32), 200, "uint8")), "divide grey levels by 255"),
        (lambda: face_attributes(smile=np.nan), "smile must be between -1 and 1"),
        (lambda: faces(attributes=np.zeros(3)), "face_attributes"),
        (lambda: faces(3, attributes=face_attributes()), "n=3.*has 1"),
        (lambda: faces(2, size=8), "size must be an integer of at least 16"),
        (lambda: faces(2, dtype="uint8"), "floating"),
        (lambda: read_attributes(np.zeros((2, 20, 20))), r"at least 24.*\(2, 20, 20\)"),
        (lambda: read_attributes(np.zeros((2, 30, 32))), r"square.*\(2, 30, 32\)"),
        (lambda: read_attributes(np.full((1, 32, 32), np.nan)), "NaN"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
