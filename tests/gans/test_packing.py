"""Pack: whole samples side by side, and nothing else."""

import numpy as np
import pytest

from nnlite import Tensor, nn
from nnlite.gans import Pack


def test_a_pack_holds_neighbouring_samples_one_after_the_other():
    x = np.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(Pack(3)(x).data, [x[:3].ravel(), x[3:].ravel()])


def test_images_are_joined_along_their_channels():
    x = np.random.default_rng(0).random((4, 3, 5, 6))
    packed = Pack(2)(x).data
    assert packed.shape == (2, 6, 5, 6)
    np.testing.assert_array_equal(packed[1], np.concatenate([x[2], x[3]]))


def test_the_logit_of_packs_of_gaussians_can_be_the_sum_of_single_ones():
    """The best packed discriminator's logit is that sum (lecture 10): Pack can express it."""
    x = np.random.default_rng(0).normal(size=(8, 2))
    w = np.array([[0.5, -1.0]])
    D = nn.Sequential(Pack(2), nn.Linear(4, 1, bias=False)).double()
    D[1].weight.data[...] = np.tile(w, 2)
    np.testing.assert_allclose(D(x).data, (x @ w.T).reshape(4, 2).sum(1, keepdims=True))


def test_the_gradient_finds_its_way_back_to_each_sample():
    x = Tensor(np.zeros((4, 1)), requires_grad=True)
    (Pack(2)(x) * np.array([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    np.testing.assert_array_equal(x.grad[:, 0], [1, 2, 3, 4])


@pytest.mark.parametrize("shape", [(5, 2), (0, 2), (4,)])
def test_batches_that_are_no_whole_number_of_packs_are_refused(shape):
    with pytest.raises(ValueError, match=r"n a multiple of 2, got shape .*batch_size"):
        Pack(2)(np.zeros(shape))


def test_a_pack_has_at_least_one_sample():
    with pytest.raises(ValueError, match=r"Pack: m must be an integer of at least 1; got 0"):
        Pack(0)
