r"""Log-gamma and polygamma functions: what the Gamma and Student likelihoods of lecture 07 need.

The derivative of :math:`\log\Gamma` is :math:`\psi^{(0)}`, that of :math:`\psi^{(n)}` is
:math:`\psi^{(n+1)}`: one rule, usable any number of times. Arguments are positive reals.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.ops.operation import Operation

#: Bernoulli numbers B_2, B_4, ..., B_18 of the asymptotic series
_BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
)
_FAR = 15  # from here on the series is exact to rounding

_lgamma = np.frompyfunc(math.lgamma, 1, 1)


def _positive(name: str, x: NDArray) -> NDArray:
    x = np.asarray(x)
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    if not np.all(x > 0):
        bad = x[~(x > 0)].ravel()[0]
        raise ValueError(f"{name} is defined here for x > 0 only; got {bad}.")
    return x


def _gammaln(x: NDArray) -> NDArray:
    x = _positive("gammaln", x)
    return np.asarray(_lgamma(x), dtype=x.dtype)


def _polygamma(x: NDArray, n: int = 0) -> NDArray:
    r"""psi^(n): recurrence up to x >= 15, then the asymptotic series (Abramowitz & Stegun 6.4.11).

    .. math:: (-1)^{n+1}\psi^{(n)}(x)\sim\frac{(n-1)!}{x^n}+\frac{n!}{2x^{n+1}}
              +\sum_{k\ge1}B_{2k}\frac{(2k+n-1)!}{(2k)!\,x^{2k+n}},

    with -log x in place of the first term for n = 0.
    """
    x = _positive("polygamma", x)
    z = x.astype(np.float64)
    skipped = np.zeros_like(z)
    for _ in range(_FAR):  # psi^(n)(z) = psi^(n)(z + 1) - (-1)^n n! / z^(n+1)
        near = z < _FAR
        skipped += np.where(near, z ** -(n + 1), 0.0)
        z = np.where(near, z + 1, z)
    series = math.factorial(n - 1) / z**n if n else -np.log(z)
    series = series + math.factorial(n) / (2 * z ** (n + 1))
    for k, b in enumerate(_BERNOULLI, start=1):
        ratio = math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        series = series + b * ratio / z ** (2 * k + n)
    sign = -1 if n % 2 == 0 else 1
    return np.asarray(sign * (series + math.factorial(n) * skipped), dtype=x.dtype)


def _polygamma_rule(g: Any, _out: Any, x: Any, n: int = 0) -> Any:
    return g * polygamma(x, n=n + 1)


polygamma = Operation(_polygamma, _polygamma_rule, name="polygamma", params=("n",))
gammaln = Operation(_gammaln, lambda g, _out, x: g * polygamma(x, n=0), name="gammaln")


def digamma(x: Any) -> Any:
    """Derivative of log Gamma(x) for x > 0, of an array or a Tensor."""
    return polygamma(x, n=0)
