"""Elementwise operations: one line each, function and derivative rules side by side.

Each rule is ``vjp(g, out, *arrays)``; a leading underscore marks what the rule does not read (see
:mod:`nnlite.ops.operation`). Shapes are left to broadcasting: where an argument was stretched, the
engine sums its gradient back. At a kink the rules give the usual subgradient: 0 for ``abs`` and
``relu``, half and half for a tie of ``maximum`` and ``minimum``.
"""

import math

import numpy as np

from nnlite.ops.activations import sigmoid
from nnlite.ops.axes import integer
from nnlite.ops.operation import TABLE, Operation, define, implements, values_of

# ---- arithmetic ------------------------------------------------------------------------------
add = define(np.add, lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: g)
subtract = define(np.subtract, lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: -g)
multiply = define(np.multiply, lambda g, _out, _x, y: g * y, lambda g, _out, x, _y: g * x)
divide = define(np.divide, lambda g, _out, _x, y: g / y, lambda g, out, _x, y: -g * out / y)
negative = define(np.negative, lambda g, _out, _x: -g)
positive = define(np.positive, lambda g, _out, _x: g)
reciprocal = define(np.reciprocal, lambda g, out, _x: -g * out * out)
square = define(np.square, lambda g, _out, x: g * (2 * x))
# x = (x // y) y + x % y, and x // y is constant between its jumps
mod = define(
    np.remainder,
    lambda g, _out, _x, _y: g,
    lambda g, _out, x, y: -g * np.floor_divide(x, y),
    name="mod",
)
fmod = define(np.fmod, lambda g, _out, _x, _y: g, lambda g, _out, x, y: -g * np.trunc(x / y))


def _as_float(x, g):
    """An array of integers or halves in the dtype of the result beside it, ``g``'s.

    A rule that computes with such an argument alone would do so in its own few bits: 0 - 1 is
    65535, and the logarithm of a byte has three digits. So would np.where with two of Python's
    integers, of which 2**63 is no int64.
    """
    if isinstance(x, int):
        return float(x)
    return x.astype(g.dtype) if hasattr(x, "dtype") and x.dtype != g.dtype else x


def _power_base(g, _out, x, y):
    """The slope y x^(y-1), and 0 where y = 0 (also at x = 0, where x^(y-1) is infinite)."""
    if isinstance(y, int | float):
        return g * (y * x ** (y - 1)) if y else np.zeros_like(x)
    y = _as_float(y, g)
    return g * y * x ** np.where((x == 0) & (y == 0), 1, y - 1)


def _power_exponent(g, out, x, y):
    """The slope x^y log x; 0 at x = 0, where x^y is flat (infinite if y < 0)."""
    x = _as_float(x, g)
    return g * out * np.log(np.where((x == 0) & (y >= 0), 1, x))


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
hypot = define(
    np.hypot,
    lambda g, out, x, _y: g * _share(x, out),
    lambda g, out, _x, y: g * _share(y, out),
)


def _share(side, length):
    """``side / length``, and 0 at the origin, as for a norm."""
    return np.where(length == 0, 0, side / np.where(length == 0, 1, length))


def _lead(x, y):
    """``x - y``, and 0 where both are the same infinity, as for any two equal numbers."""
    same = (x == y) & np.isinf(x)
    return np.where(same, 0, x) - np.where(same, 0, y) if np.any(same) else x - y


# the gradient of log(e^x + e^y) is the share of each, e^x / (e^x + e^y) = sigmoid(x - y)
logaddexp = define(
    np.logaddexp,
    lambda g, _out, x, y: g * sigmoid(_lead(x, y)),
    lambda g, _out, x, y: g * sigmoid(_lead(y, x)),
)
logaddexp2 = define(
    np.logaddexp2,
    lambda g, _out, x, y: g * sigmoid(_lead(x, y) * math.log(2)),
    lambda g, _out, x, y: g * sigmoid(_lead(y, x) * math.log(2)),
)

# ---- trigonometric and hyperbolic ------------------------------------------------------------
sin = define(np.sin, lambda g, _out, x: g * np.cos(x))
cos = define(np.cos, lambda g, _out, x: -g * np.sin(x))
tan = define(np.tan, lambda g, out, _x: g * (1 + out * out))
arcsin = define(np.arcsin, lambda g, _out, x: g / np.sqrt(1 - x * x))
arccos = define(np.arccos, lambda g, _out, x: -g / np.sqrt(1 - x * x))
arctan = define(np.arctan, lambda g, _out, x: g / (1 + x * x))
# d angle = (x dy - y dx) / r^2; one division by r after the other, for r^2 may overflow
arctan2 = define(
    np.arctan2,
    lambda g, _out, y, x: g * _over_square(x, np.hypot(y, x)),
    lambda g, _out, y, x: -g * _over_square(y, np.hypot(y, x)),
)


def _over_square(side, length):
    """``side / length^2``, and 0 at the origin, which has no angle."""
    length = np.where(length == 0, 1, length)
    return side / length / length


sinh = define(np.sinh, lambda g, _out, x: g * np.cosh(x))
cosh = define(np.cosh, lambda g, _out, x: g * np.sinh(x))
tanh = define(np.tanh, lambda g, out, _x: g * (1 - out * out))
arcsinh = define(np.arcsinh, lambda g, _out, x: g / np.sqrt(x * x + 1))
arccosh = define(np.arccosh, lambda g, _out, x: g / np.sqrt(x * x - 1))
arctanh = define(np.arctanh, lambda g, _out, x: g / (1 - x * x))
deg2rad = define(np.deg2rad, lambda g, _out, _x: g * (math.pi / 180))
rad2deg = define(np.rad2deg, lambda g, _out, _x: g * (180 / math.pi))
radians = define(np.radians, lambda g, _out, _x: g * (math.pi / 180))
degrees = define(np.degrees, lambda g, _out, _x: g * (180 / math.pi))


def _sinc_rule(g, out, x):
    """d/dx sin(pi x)/(pi x) = (cos(pi x) - sinc x) / x; near 0, where digits cancel, its series."""
    near = np.abs(x) < 0.05
    u = (math.pi * x) ** 2
    series = -(math.pi**2) * x * (1 / 3 - u * (1 / 30 - u * (1 / 840 - u / 45360)))
    return g * np.where(near, series, (np.cos(math.pi * x) - out) / np.where(near, 1, x))


sinc = define(np.sinc, _sinc_rule)


# ---- kinks and selections --------------------------------------------------------------------
absolute = define(np.absolute, lambda g, _out, x: g * np.sign(x))
fabs = define(np.fabs, lambda g, _out, x: g * np.sign(x))
copysign = define(
    np.copysign,
    lambda g, _out, x, y: g * np.sign(x) * np.copysign(1, y),
    lambda g, _out, _x, _y: np.zeros_like(g),
)


def _winner(g, x, y):
    """All of g where x > y, half of it where they tie, 0 elsewhere."""
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


def _less(x, y):
    """True where ``x < y``; nowhere if a bound is missing."""
    return False if x is None or y is None else x < y


def _at_most(x, y):
    """True where ``x <= y``; everywhere if a bound is missing, and nowhere for NaN."""
    return True if x is None or y is None else x <= y


# The gradient goes to the one of the three that was passed on; on a bound that is still x.
_clip = Operation(
    np.clip,
    lambda g, _out, x, low, high: np.where(_at_most(low, x) & _at_most(x, high), g, 0),
    lambda g, _out, x, low, high: np.where(_less(high, low), 0, np.where(_less(x, low), g, 0)),
    lambda g, _out, x, low, high: np.where(_less(high, x) | _less(high, low), g, 0),
    name="clip",
)


@implements(np.clip)
def clip(a, a_min=None, a_max=None, *, min=None, max=None):
    """Values moved to the nearer bound where they lie outside; None is no bound."""
    return _clip(a, a_min if min is None else min, a_max if max is None else max)


@implements(np.nan_to_num)
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """NaN and infinities replaced by numbers (which have no gradient)."""
    largest = np.finfo(x.dtype).max
    x = np.where(np.isnan(x), nan, x)
    x = np.where(np.isposinf(x), largest if posinf is None else posinf, x)
    return np.where(np.isneginf(x), -largest if neginf is None else neginf, x)


@implements(np.select)
def select(condlist, choicelist, default=0):
    """The choice of the first condition that holds."""
    if not len(condlist) or len(condlist) != len(choicelist):
        raise ValueError(
            "np.select takes as many choices as conditions, one or more; got "
            f"{len(condlist)} conditions and {len(choicelist)} choices."
        )
    for i, condition in enumerate(condlist):
        if np.asarray(condition).dtype != bool:
            raise TypeError(
                f"np.select: conditions hold True and False; number {i} has dtype "
                f"{np.asarray(condition).dtype}. Write choices == value, or use .astype(bool)."
            )
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = np.where(condition, choice, out)
    return out


@implements(np.fmax)
def fmax(x, y):
    """The larger of two, ignoring NaN."""
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, np.maximum(x, y)))


@implements(np.fmin)
def fmin(x, y):
    """The smaller of two, ignoring NaN."""
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, np.minimum(x, y)))


# steps: flat almost everywhere, so the gradient is 0
def _flat(g, _out, _x, **_params):
    return np.zeros_like(g)


def _flat2(g, _out, _x, _y):
    return np.zeros_like(g)


sign = define(np.sign, _flat)
floor = define(np.floor, _flat)
ceil = define(np.ceil, _flat)
trunc = define(np.trunc, _flat)
rint = define(np.rint, _flat)
if hasattr(np, "fix"):  # NumPy is about to let go of it
    TABLE[np.fix] = trunc
round = define(np.round, _flat, params=("decimals",))
TABLE[np.around] = round
floor_divide = define(np.floor_divide, _flat2, _flat2)
# the second argument is the value at x = 0
heaviside = define(
    np.heaviside, _flat2, lambda g, _out, x, _y: np.where(x == 0, g, 0), arrays=("x", "y")
)


@implements(np.divmod)
def divmod(x, y):
    """Quotient and remainder."""
    return np.floor_divide(x, y), np.remainder(x, y)


@implements(np.modf)
def modf(x):
    """Fractional and integral part; nothing is left of an infinity."""
    whole = np.trunc(x)
    endless = np.isinf(x)
    return np.where(endless, 0, x) - np.where(endless, 0, whole), whole


# ---- conversions -----------------------------------------------------------------------------
copy = define(np.copy, lambda g, _out, _x: g)
astype: Operation = Operation(
    lambda x, dtype: x.astype(dtype),
    lambda g, _out, _x, dtype: g if g.dtype == _x.dtype else astype(g, dtype=_x.dtype),
    name="astype",
    params=("dtype",),
)


def _real(x):
    """A real array is its own real part and its own conjugate."""
    return np.positive(x)


real = implements(np.real, np.conjugate)(_real)
if hasattr(np, "astype"):

    @implements(np.astype)
    def _astype(x, dtype):
        """A copy in another dtype."""
        return x.astype(dtype)


@implements(np.full_like)
def full_like(a, fill_value, shape=None):
    """An array of one value, which may be a Tensor."""
    if values_of(fill_value) is fill_value:
        return np.full_like(values_of(a), fill_value, shape=shape)
    return np.broadcast_to(fill_value, np.shape(a) if shape is None else shape).astype(a.dtype)


@implements(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """``num`` numbers from ``start`` to ``stop``, evenly spaced along a new axis."""
    num, axis = integer(num, "how many"), integer(axis, "an axis")
    start, stop = (np.asarray(x) if isinstance(x, list | tuple) else x for x in (start, stop))
    ndim = np.broadcast(values_of(start), values_of(stop)).ndim
    exact = np.result_type(values_of(start), values_of(stop), 1.0)
    share = np.linspace(0.0, 1.0, num, endpoint, dtype=exact).reshape((-1,) + (1,) * ndim)
    out = start + (stop - start) * share
    if endpoint and num > 1:  # exact there, whatever the rounding
        last = np.broadcast_to(stop, out.shape[1:])
        out = np.concatenate([out[:-1], np.expand_dims(last, 0)])
    out = np.moveaxis(out if dtype is None else out.astype(np.dtype(dtype)), 0, axis)
    steps = num - 1 if endpoint else num
    return (out, (stop - start) / steps if steps > 0 else np.nan) if retstep else out
