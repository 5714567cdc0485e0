"""Elementwise operations: one line each, function and derivative rules side by side.

Each rule is ``vjp(g, out, *arrays)``; a leading underscore marks what the rule does not read (see
:mod:`nnlite.ops.operation`). Shapes are left to broadcasting: where an argument was stretched, the engine
sums its gradient back. At a kink the rules give the usual subgradient: 0 for ``abs`` and ``relu``, half
and half for a tie of ``maximum`` and ``minimum``.
"""

import math

import numpy as np

from nnlite.ops.operation import Operation, define, operation

# ---- arithmetic ------------------------------------------------------------------------------
add = define(np.add, lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: g)
subtract = define(np.subtract, lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: -g)
multiply = define(np.multiply, lambda g, _out, _x, y: g * y, lambda g, _out, x, _y: g * x)
divide = define(np.divide, lambda g, _out, _x, y: g / y, lambda g, out, _x, y: -g * out / y)
negative = define(np.negative, lambda g, _out, _x: -g)
positive = define(np.positive, lambda g, _out, _x: g)
reciprocal = define(np.reciprocal, lambda g, out, _x: -g * out * out)
square = define(np.square, lambda g, _out, x: g * (2 * x))
mod = define(np.remainder, lambda g, _out, _x, _y: g, lambda g, _out, x, y: -g * np.floor(x / y))


def _power_base(g, _out, x, y):
    """D x^y / dx = y x^(y-1), and 0 where y = 0 (also at x = 0, where x^(y-1) is infinite)."""
    if isinstance(y, int | float):
        return g * (y * x ** (y - 1)) if y else np.zeros_like(x)
    return g * y * x ** np.where(y == 0, 1, y - 1)


def _power_exponent(g, out, x, _y):
    """D x^y / dy = x^y log x, and 0 at x = 0."""
    return g * out * np.log(np.where(x == 0, 1, x))


power = define(np.power, _power_base, _power_exponent)
float_power = define(np.float_power, _power_base, _power_exponent)

# ---- exponentials and roots ------------------------------------------------------------------
exp = define(np.exp, lambda g, out, _x: g * out)
exp2 = define(np.exp2, lambda g, out, _x: g * out * math.log(2))
expm1 = define(np.expm1, lambda g, out, _x: g * (out + 1))
log = define(np.log, lambda g, _out, x: g / x)
log2 = define(np.log2, lambda g, _out, x: g / (x * math.log(2)))
log10 = define(np.log10, lambda g, _out, x: g / (x * math.log(10)))
log1p = define(np.log1p, lambda g, _out, x: g / (1 + x))
sqrt = define(np.sqrt, lambda g, out, _x: g / (2 * out))
cbrt = define(np.cbrt, lambda g, out, _x: g / (3 * out * out))
hypot = define(np.hypot, lambda g, out, x, _y: g * x / out, lambda g, out, _x, y: g * y / out)
# the gradient of log(e^x + e^y) is the share of each, e^(x - out)
logaddexp = define(
    np.logaddexp,
    lambda g, out, x, _y: g * np.exp(x - out),
    lambda g, out, _x, y: g * np.exp(y - out),
)
logaddexp2 = define(
    np.logaddexp2,
    lambda g, out, x, _y: g * np.exp2(x - out),
    lambda g, out, _x, y: g * np.exp2(y - out),
)

# ---- trigonometric and hyperbolic ------------------------------------------------------------
sin = define(np.sin, lambda g, _out, x: g * np.cos(x))
cos = define(np.cos, lambda g, _out, x: -g * np.sin(x))
tan = define(np.tan, lambda g, out, _x: g * (1 + out * out))
arcsin = define(np.arcsin, lambda g, _out, x: g / np.sqrt(1 - x * x))
arccos = define(np.arccos, lambda g, _out, x: -g / np.sqrt(1 - x * x))
arctan = define(np.arctan, lambda g, _out, x: g / (1 + x * x))
arctan2 = define(
    np.arctan2,
    lambda g, _out, y, x: g * x / (x * x + y * y),
    lambda g, _out, y, x: -g * y / (x * x + y * y),
)
sinh = define(np.sinh, lambda g, _out, x: g * np.cosh(x))
cosh = define(np.cosh, lambda g, _out, x: g * np.sinh(x))
tanh = define(np.tanh, lambda g, out, _x: g * (1 - out * out))
arcsinh = define(np.arcsinh, lambda g, _out, x: g / np.sqrt(x * x + 1))
arccosh = define(np.arccosh, lambda g, _out, x: g / np.sqrt(x * x - 1))
arctanh = define(np.arctanh, lambda g, _out, x: g / (1 - x * x))
deg2rad = define(np.deg2rad, lambda g, _out, _x: g * (math.pi / 180))
rad2deg = define(np.rad2deg, lambda g, _out, _x: g * (180 / math.pi))
sinc = define(np.sinc, lambda g, out, x: g * _sinc_slope(out, x))


def _sinc_slope(out, x):
    """d/dx sin(pi x)/(pi x) = (cos(pi x) - sinc x) / x, and 0 at 0."""
    at_zero = x == 0
    return np.where(at_zero, 0.0, (np.cos(math.pi * x) - out) / np.where(at_zero, 1.0, x))


# ---- kinks and selections --------------------------------------------------------------------
absolute = define(np.absolute, lambda g, _out, x: g * np.sign(x))
fabs = define(np.fabs, lambda g, _out, x: g * np.sign(x))


def _winner(g, x, y):
    """G where x > y, half of it where they tie, 0 elsewhere."""
    return np.where(x > y, g, np.where(x == y, 0.5 * g, 0))


maximum = define(
    np.maximum, lambda g, _out, x, y: _winner(g, x, y), lambda g, _out, x, y: _winner(g, y, x)
)
minimum = define(
    np.minimum, lambda g, _out, x, y: _winner(g, y, x), lambda g, _out, x, y: _winner(g, x, y)
)
where = define(
    np.where,
    None,
    lambda g, _out, condition, _x, _y: np.where(condition, g, 0),
    lambda g, _out, condition, _x, _y: np.where(condition, 0, g),
    arrays=("condition", "x", "y"),
)


@operation(np.fmax)
def fmax(x, y):
    """The larger of two, ignoring NaN."""
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, np.maximum(x, y)))


@operation(np.fmin)
def fmin(x, y):
    """The smaller of two, ignoring NaN."""
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, np.minimum(x, y)))


# steps: flat almost everywhere, so the gradient is 0
def _flat(g, _out, _x, **_params):
    return np.zeros_like(g)


sign = define(np.sign, _flat)
floor = define(np.floor, _flat)
ceil = define(np.ceil, _flat)
trunc = define(np.trunc, _flat)
rint = define(np.rint, _flat)
round = define(np.round, _flat, params=("decimals",))

# ---- conversions -----------------------------------------------------------------------------
copy = define(np.copy, lambda g, _out, _x: g)
astype = Operation(
    lambda x, dtype: x.astype(dtype),
    lambda g, _out, _x, dtype: g if g.dtype == _x.dtype else astype(g, dtype=_x.dtype),
    name="astype",
    params=("dtype",),
)
