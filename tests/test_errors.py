"""Errors that several parts share."""

import pickle

import pytest

from nnlite.errors import NotFittedError


def test_scikit_learn_users_catch_our_error_by_their_name():
    exceptions = pytest.importorskip("sklearn.exceptions")
    with pytest.raises(exceptions.NotFittedError, match="call fit"):
        raise NotFittedError("call fit first")
    with pytest.raises(NotFittedError) as caught:
        raise NotFittedError("call fit first")
    assert type(caught.value).__name__ == "NotFittedError"
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AttributeError)


def test_the_error_travels_between_processes():
    pytest.importorskip("sklearn.exceptions")
    copy = pickle.loads(pickle.dumps(NotFittedError("call fit first")))
    assert str(copy) == "call fit first"
    assert isinstance(copy, NotFittedError)
