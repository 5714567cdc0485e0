"""Normalisation layers (lecture 08)."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.engine.state import float_dtype
from nnlite.nn import functional as F
from nnlite.nn._inputs import as_tensor, check_sizes
from nnlite.nn.module import Module
from nnlite.nn.parameter import Parameter


class _BatchNorm(Module):
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
    dtype : {"float32", "float64"}, optional

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,), or None
    running_mean, running_var : ndarray, shape (num_features,), or None
        Buffers; ``running_var`` averages the unbiased variance.
    num_batches_tracked : ndarray of int64, or None
    """

    running_mean: Any
    running_var: Any
    num_batches_tracked: Any
    _axes: tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        check_sizes(type(self).__name__, num_features=num_features)
        dtype = float_dtype(dtype)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features), dtype=dtype) if affine else None
        self.bias = Parameter(np.zeros(num_features), dtype=dtype) if affine else None
        tracked = track_running_stats
        self.register_buffer("running_mean", np.zeros(num_features, dtype) if tracked else None)
        self.register_buffer("running_var", np.ones(num_features, dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", np.array(0) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the running averages."""
        if self.track_running_stats:
            self.running_mean[...] = 0
            self.running_var[...] = 1
            self.num_batches_tracked[...] = 0

    def reset_parameters(self) -> None:
        """Back to a weight of 1 and a bias of 0, without running averages."""
        self.reset_running_stats()
        if self.weight is not None and self.bias is not None:
            self.weight.data[...] = 1
            self.bias.data[...] = 0

    def forward(self, x: Any) -> Any:
        """The shape stays."""
        return self._compute(x, None)

    def _compute(self, x: Any, slope: float | None) -> Any:
        x = as_tensor(x)
        if x.ndim not in self._axes or x.shape[1] != self.num_features:
            shapes = {2: "(N, C)", 3: "(N, C, L)", 4: "(N, C, H, W)"}
            raise ValueError(
                f"{type(self).__name__} takes {' or '.join(shapes[n] for n in self._axes)} with "
                f"C = {self.num_features} channels; got shape {x.shape}."
            )
        momentum = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked += 1
            if momentum is None:
                momentum = 1 / int(self.num_batches_tracked)
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            momentum or 0.0,
            self.eps,
            slope,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L)."""

    __doc__ = (__doc__ or "") + (_BatchNorm.__doc__ or "").partition("\n")[2]  # None with -OO
    _axes = (2, 3)

    def forward_with_activation(self, x: Any, slope: float) -> Any:
        """``forward``, then LeakyReLU with this slope, in one pass (used by Sequential)."""
        return self._compute(x, slope)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W)."""

    __doc__ = (__doc__ or "") + (_BatchNorm.__doc__ or "").partition("\n")[2]  # None with -OO
    _axes = (4,)

    def forward_with_activation(self, x: Any, slope: float) -> Any:
        """``forward``, then LeakyReLU with this slope, in one pass (used by Sequential)."""
        return self._compute(x, slope)


class InstanceNorm2d(Module):
    """Normalise each channel of each image over its pixels (Ulyanov et al. 2016).

    Parameters
    ----------
    num_features : int
        Channels.
    eps, momentum, affine
        As in :class:`BatchNorm2d`, but without ``weight`` and ``bias`` by default.
    track_running_stats : bool
        Keep running averages and use them in evaluation; off by default.
    dtype : {"float32", "float64"}, optional
    """

    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        check_sizes("InstanceNorm2d", num_features=num_features)
        dtype = float_dtype(dtype)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features), dtype=dtype) if affine else None
        self.bias = Parameter(np.zeros(num_features), dtype=dtype) if affine else None
        tracked = track_running_stats
        self.register_buffer("running_mean", np.zeros(num_features, dtype) if tracked else None)
        self.register_buffer("running_var", np.ones(num_features, dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", np.array(0) if tracked else None)

    def forward(self, x: Any) -> Any:
        """The shape stays."""
        x = as_tensor(x)
        if x.ndim != 4 or x.shape[1] != self.num_features:
            raise ValueError(
                f"InstanceNorm2d takes images (N, {self.num_features}, H, W); got shape {x.shape}."
            )
        if self.track_running_stats and not self.training:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        if self.track_running_stats:
            mean = x.data.mean(axis=(2, 3)).mean(axis=0)
            var = x.data.var(axis=(2, 3), ddof=1).mean(axis=0)
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (var - self.running_var)
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
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
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        shape = (
            normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        )
        check_sizes("LayerNorm", **{f"normalized_shape[{i}]": n for i, n in enumerate(shape)})
        self.normalized_shape = tuple(shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        self.weight = Parameter(np.ones(self.normalized_shape), dtype=dtype) if affine else None
        self.bias = (
            Parameter(np.zeros(self.normalized_shape), dtype=dtype) if affine and bias else None
        )

    def forward(self, x: Any) -> Any:
        """The shape stays."""
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
