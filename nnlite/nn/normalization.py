"""Normalisation layers (lecture 08)."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite._arguments import as_integer, as_number
from nnlite.engine.state import float_dtype
from nnlite.nn import functional as F
from nnlite.nn import init
from nnlite.nn._checks import check_device, check_flags
from nnlite.nn._inputs import as_tensor, channels_last_hint, check_images
from nnlite.nn.functional._normalization import activated_batch_norm, as_shape
from nnlite.nn.module import Module
from nnlite.nn.parameter import Parameter


class _Norm(Module):
    """What the normalisations of channels share: parameters, running statistics."""

    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def _set_up(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: DTypeLike | None,
        bias: bool,
    ) -> None:
        where = type(self).__name__
        num_features = as_integer(num_features, f"{where}: num_features", 1)
        eps = as_number(eps, f"{where}: eps", 0)
        if momentum is not None:
            momentum = as_number(momentum, f"{where}: momentum", 0, 1)
        check_flags(where, affine=affine, track_running_stats=track_running_stats, bias=bias)
        check_device(where, device)
        dtype = float_dtype(dtype)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        n = num_features
        self.weight = Parameter(np.ones(n), dtype=dtype) if affine else None
        self.bias = Parameter(np.zeros(n), dtype=dtype) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", np.zeros(n, dtype) if tracked else None)
        self.register_buffer("running_var", np.ones(n, dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", np.array(0, np.int64) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the running averages."""
        if self.track_running_stats:
            self.running_mean[...] = 0
            self.running_var[...] = 1
            self.num_batches_tracked[...] = 0

    def reset_parameters(self) -> None:
        """Back to a weight of 1 and a bias of 0, without running averages."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Norm):
    """Normalise each channel over the batch, then scale and shift (Ioffe & Szegedy 2015).

    In training the statistics are the batch's, and running averages of them are kept for
    evaluation.

    Parameters
    ----------
    num_features : int
        Channels (axis 1).
    eps : float
        Added to the variance.
    momentum : float or None
        How far the running averages move towards each batch; None averages all batches equally.
    affine : bool
        Whether there are ``weight`` and ``bias``.
    track_running_stats : bool
        Without, evaluation too uses the batch's statistics.
    device : {"cpu"}, optional
    dtype : {"float32", "float64"}, optional
    bias : bool
        Whether there is, with ``affine``, a ``bias``.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,), or None
    running_mean, running_var : ndarray, shape (num_features,), or None
        Buffers; ``running_var`` averages the unbiased variance.
    num_batches_tracked : ndarray of int64, or None
    """

    _axes: tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self._set_up(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Any) -> Any:
        """The result has the shape of ``input``."""
        return self._forward(input)

    def _forward(self, input: Any, slope: float | None = None) -> Any:
        x = as_tensor(input)
        if x.ndim not in self._axes or x.shape[1] != self.num_features:
            shapes = {2: "(N, C)", 3: "(N, C, L)", 4: "(N, C, H, W)"}
            if self._axes == (4,):
                check_images(type(self).__name__, x, self.num_features)
            raise ValueError(
                f"{type(self).__name__} takes {' or '.join(shapes[n] for n in self._axes)} with "
                f"C = {self.num_features} channels; got shape {x.shape}."
                f"{channels_last_hint(x.shape, self.num_features)}"
            )
        momentum = self.momentum
        counts = self.training and self.track_running_stats
        if momentum is None:
            momentum = 1 / (int(self.num_batches_tracked) + 1) if counts else 0.0
        y = activated_batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            momentum,
            self.eps,
            slope,
        )
        if counts:  # only now: a batch that is refused was none
            self.num_batches_tracked += 1
        return y


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L)."""

    __doc__ = (__doc__ or "") + (_BatchNorm.__doc__ or "").partition("\n")[2]  # None with -OO
    _axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W)."""

    __doc__ = (__doc__ or "") + (_BatchNorm.__doc__ or "").partition("\n")[2]  # None with -OO
    _axes = (4,)


class InstanceNorm2d(_Norm):
    """Normalise each channel of each image over its pixels (Ulyanov et al. 2016).

    Parameters
    ----------
    num_features : int
        Channels.
    eps, momentum, affine
        As in :class:`BatchNorm2d`, but without ``weight`` and ``bias`` by default.
    track_running_stats : bool
        Keep running averages and use them in evaluation; off by default.
    device, dtype, bias
        As in :class:`BatchNorm2d`.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self._set_up(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Any) -> Any:
        """The result has the shape of ``input``."""
        x = as_tensor(input)
        check_images("InstanceNorm2d", x, self.num_features)
        if x.shape[1] != self.num_features:
            raise ValueError(
                f"InstanceNorm2d takes images (N, {self.num_features}, H, W); got shape {x.shape}."
                f"{channels_last_hint(x.shape, self.num_features)}"
            )
        return F.instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum or 0.0,
            self.eps,
        )


class LayerNorm(Module):
    """Normalise over the last axes, the same in training and evaluation (Ba et al. 2016).

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Shape of the last axes.
    eps : float
        Added to the variance.
    elementwise_affine, bias : bool
        Whether there are a ``weight`` and, with it, a ``bias``, of shape ``normalized_shape``.
    dtype : {"float32", "float64"}, optional
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        eps = as_number(eps, "LayerNorm: eps", 0)
        check_flags("LayerNorm", elementwise_affine=elementwise_affine, bias=bias)
        check_device("LayerNorm", device)
        self.normalized_shape = as_shape("LayerNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        self.weight = Parameter(np.ones(self.normalized_shape), dtype=dtype) if affine else None
        self.bias = (
            Parameter(np.zeros(self.normalized_shape), dtype=dtype) if affine and bias else None
        )

    def forward(self, input: Any) -> Any:
        """The result has the shape of ``input``."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
