"""Output sizes of transposed convolutions at the edges of what is allowed."""

import numpy as np
import pytest

from nnlite.nn import functional as F


@pytest.mark.parametrize(
    ("stride", "dilation", "extra"), [(1, 2, 1), (1, 3, 2), (2, 3, 2), ((3, 1), (1, 2), (2, 1))]
)
def test_output_padding_up_to_the_dilation_is_still_the_adjoint_of_a_convolution(
    stride, dilation, extra
):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(3, 2, 3, 2))
    up = F.conv_transpose2d(
        x, w, stride=stride, padding=1, dilation=dilation, output_padding=extra
    ).data
    y = rng.normal(size=up.shape)
    # The extra rows and columns may allow the convolution further positions: those meet zeros.
    down = F.conv2d(y, w, stride=stride, padding=1, dilation=dilation).data[:, :, :4, :5]
    assert np.sum(up * y) == pytest.approx(np.sum(x * down), rel=1e-12)


def test_a_transposed_convolution_without_a_pixel_of_output_is_refused():
    with pytest.raises(ValueError, match=r"1×2 would become -1×0.*use less padding"):
        F.conv_transpose2d(np.ones((1, 1, 1, 2)), np.ones((1, 1, 3, 3)), padding=2)


def test_output_padding_beyond_stride_and_dilation_is_refused():
    with pytest.raises(ValueError, match="smaller than stride or dilation"):
        F.conv_transpose2d(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), stride=2, output_padding=2)
