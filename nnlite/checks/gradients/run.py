"""The comparison inside gradcheck: one number from the gradient against one slope (lecture 01)."""

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.checks.differences import Array, Line
from nnlite.checks.gradients.report import Comparison, GradcheckReport

#: Relative tolerance by the lowest precision among inputs and results. In float64 the slopes are
#: good to about 1e-10. In float32 the gradient carries the rounding of every operation behind it.
RTOL = {"float64": 1e-7, "float32": 2e-4}
#: Share of the largest gradient of an argument that an entry may be off, since that is what its
#: rounding errors are measured by.
FLOOR = {"float64": 1e-10, "float32": 2e-5}

COMPLEX = "complex step"


class Run:
    """One run of gradcheck: a subject, its values at the point, and what was found so far."""

    def __init__(
        self, subject: Any, name: str, options: dict[str, Any], rng: np.random.Generator
    ) -> None:
        self.subject, self.options, self.rng = subject, options, rng
        self.found = GradcheckReport(name, len(subject.values))

    def report(self) -> GradcheckReport:
        """Compare every gradient with slopes and return the report."""
        subject, report = self.subject, self.found
        for name, x in zip(subject.names, subject.values, strict=True):
            if not np.all(np.isfinite(x)):
                raise ValueError(f"{name} contains NaN or infinity; no slope exists there.")
        outputs = subject.outputs(subject.values)
        self._choose_precision(outputs)
        if not all(np.all(np.isfinite(y)) for y in outputs):
            raise ValueError("the result at this point is NaN or infinite; no slope exists there.")
        if not _same(outputs, subject.outputs(subject.values)):
            report.problems.append(
                "f gives different results for the same inputs, so slopes mean nothing. Dropout or "
                "another random draw inside? Use model.eval(), or draw outside f and pass the "
                "numbers in."
            )
            return report
        cotangents = [np.asarray(self.rng.standard_normal(y.shape), y.dtype) for y in outputs]
        self.u = _flat(cotangents)
        # of a single number show the gradient itself, not u times it
        self.unit = float(self.u[0]) if self.u.size == 1 else 1.0
        if self.u.size > 1:
            report.notes.append(
                f"the result has {self.u.size} numbers; shown are slopes of their sum with random "
                "weights. Check np.sum(f(x)) to see plain derivatives"
            )
        gradients = subject.gradients(subject.values, cotangents)
        report.problems += subject.changed
        self._choose_complex_step()
        for k, g in enumerate(gradients):
            if self._well_formed(k, g):
                self._check_argument(k, g)
        return report

    def _choose_precision(self, outputs: list[Array]) -> None:
        """Slopes are taken in float64 where f follows; else in the inputs' own precision."""
        own, subject = outputs, self.subject
        self.values = [x.astype(np.float64) for x in subject.values]
        self.y0, self.eps = _flat(own), _eps(own, subject.values)
        self.precision = "float64" if self.eps == np.finfo(np.float64).eps else "float32"
        if self.precision == "float64":
            return
        try:
            wide = subject.outputs(self.values)
            why = "its results stay in float32"
        except (TypeError, ValueError) as error:
            wide, why = own, f"{type(error).__name__}: {error}"
        if [(y.shape, y.dtype.name) for y in wide] == [(y.shape, "float64") for y in own]:
            self.y0, self.eps = _flat(wide), float(np.finfo(np.float64).eps)
            return
        self.values = subject.values
        self.found.notes.append(
            f"slopes are taken in float32, for in float64 f does not run ({why})"
        )

    def _choose_complex_step(self) -> None:
        """Try f on complex numbers once; it may not accept them, and the report then says why."""
        self.complex = False
        try:
            self._outputs_at(self.values, complex_=True)
        except Exception as error:  # whatever f raises, real steps remain
            first_line = str(error).partition("\n")[0]
            self.found.notes.append(f"no complex step: {type(error).__name__}: {first_line}")
        else:
            self.complex = True

    def _outputs_at(self, values: list[Array], complex_: bool = False) -> Array:
        if not complex_:
            return _flat(self.subject.outputs(values))
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            outputs = self.subject.complex_outputs([np.asarray(v, complex) for v in values])
        y = np.concatenate([np.ravel(y) for y in outputs])
        if y.shape != self.u.shape:
            raise ValueError(f"f gives {y.size} numbers there, {self.u.size} otherwise.")
        return y

    def _well_formed(self, k: int, g: Any) -> bool:
        """Shape and dtype of a gradient; False if its values cannot be compared."""
        name, x = self.subject.names[k], self.subject.values[k]
        if g is None:
            return True
        if not isinstance(g, np.ndarray | np.generic | float):
            self.found.problems.append(
                f"{name}: the gradient is a {type(g).__name__}; expected an array "
                f"of shape {x.shape}"
            )
            return False
        g = np.asarray(g)
        if g.dtype.newbyteorder("=") != x.dtype:
            self.found.problems.append(
                f"{name}: the gradient has dtype {g.dtype}; the argument has {x.dtype}"
            )
        if g.shape != x.shape:
            self.found.problems.append(
                f"{name}: the gradient has shape {g.shape}; the argument has shape {x.shape}"
            )
            return False
        return bool(g.dtype.kind in "fiu")

    def _check_argument(self, k: int, g: Array | None) -> None:
        x = self.values[k]
        self.missing = g is None
        gradient: Array = np.zeros(x.shape) if g is None else np.asarray(g, np.float64)
        bad = np.flatnonzero(~np.isfinite(gradient))
        if x.size <= self.options["max_entries"]:
            for index in np.ndindex(x.shape):
                self._compare(k, gradient, _unit(x.shape, index), index)
        elif bad.size:
            index = _index(bad[0], x.shape)
            self._compare(k, gradient, _unit(x.shape, index), index)
        else:
            for _ in range(self.options["directions"]):
                direction: Array = self.rng.standard_normal(x.shape)
                direction /= np.linalg.norm(direction)
                if not self._compare(k, gradient, direction, None):
                    self._narrow(k, gradient, direction)
                    return

    def _narrow(self, k: int, gradient: Array, direction: Array) -> None:
        """Halve a wrong direction, keeping the worse half, until one entry is left."""
        candidates = np.arange(direction.size)
        while candidates.size > 1:
            halves = np.array_split(candidates, 2)
            errors = []
            for half in halves:
                part = np.zeros_like(direction)
                part.flat[half] = direction.flat[half]
                received = float(np.sum(gradient * part))
                slopes = itertools.islice(self._line(k, part).slopes(), 3)
                errors.append(min((abs(s.value - received) for s in slopes), default=np.inf))
            candidates = halves[int(np.argmax(errors))]
        index = _index(candidates[0], direction.shape)
        self._compare(k, gradient, _unit(direction.shape, index), index)

    def _line(self, k: int, direction: Array) -> Line:
        x = self.values[k]
        moving = np.abs(x[direction != 0])
        scales: tuple[float, ...] = (max(1.0, float(np.sqrt(np.mean(moving**2)))),)
        smallest = float(np.min(moving, where=moving > 0, initial=np.inf))
        if smallest < 0.1:  # log(x) at 1e-9 needs steps below 1e-9
            scales += (smallest,)

        def y(t: float) -> Array:
            moved = list(self.values)
            moved[k] = (x + t * direction).astype(x.dtype)
            return self._outputs_at(moved)

        return Line(y, self.u, self.y0, scales, self.eps, self.options["eps"])

    def _complex_slope(self, k: int, direction: Array) -> float:
        h = 1e-20
        moved = list(self.values)
        moved[k] = self.values[k] + 1j * h * direction
        return float(self.u @ np.imag(self._outputs_at(moved, complex_=True)) / h)

    def _compare(
        self, k: int, gradient: Array, direction: Array, index: tuple[int, ...] | None
    ) -> bool:
        """Compare gradient . direction with slopes of f; file the result; True if it passed."""
        finite = gradient[np.isfinite(gradient)]
        largest = float(
            np.linalg.norm(finite, None if index is None else np.inf) if finite.size else 0
        )
        rtol = RTOL[self.precision] if self.options["rtol"] is None else self.options["rtol"]
        atol, floor = 0.0, FLOOR[self.precision]
        if self.options["atol"] is not None:
            atol, floor = self.options["atol"] * abs(self.unit), 0.0

        line = self._line(k, direction)
        # What the last digit of the result means for a slope: less than that is noise. Eight of
        # them, as for quotients, since a gradient that is zero by cancellation (a bias before batch
        # norm) keeps the roundings of all operations on its way.
        last_digit = 8 * float(np.finfo(self.precision).eps * np.linalg.norm(self.u * self.y0))
        atol += last_digit / line.scales[0]

        def tolerance(slope: float, terms: float) -> float:
            return rtol * abs(slope) + atol + floor * max(largest, terms)

        received = float(gradient[index] if index is not None else np.sum(gradient * direction))
        exact = self._complex_slope(k, direction) if self.complex else np.nan
        expected, allowed, how, bent = self._expected(line, received, exact, largest, tolerance)
        comparison = Comparison(
            self.subject.names[k],
            index,
            received / self.unit + 0.0,  # no minus before a zero
            expected / self.unit,
            allowed / abs(self.unit),
            how,
            missing=self.missing,
        )
        if bent:  # even if they agree: the mean of both sides of |x| at 0 is 0, but no derivative
            kink = line.kink()
            slack = allowed + 1e-6 * abs(received)
            if kink and not (received < kink.low - slack or received > kink.high + slack):
                low, high = sorted((kink.low / self.unit, kink.high / self.unit))
                self.found.kinks.append((comparison, low, high))
                return True
        self.found.comparisons.append(comparison)
        return comparison.passed

    @staticmethod
    def _expected(
        line: Line,
        received: float,
        exact: float,
        largest: float,
        tolerance: Callable[[float, float], float],
    ) -> tuple[float, float, str, bool]:
        """The slope to hold the gradient against, what is tolerated, its origin, and if y bends.

        The complex step is believed where a difference quotient confirms it: on code that is not
        analytic it is wrong in silence. Without it the first step that agrees with the gradient
        will do, since a wrong gradient has no reason to agree with any. A quotient that is mostly
        rounding agrees with everything, though, so of its rounding error only as much as the
        tolerance itself is allowed. If none agrees, the most trustworthy step speaks, with all of
        its own doubt: its rounding, and its distance from the step tried before.
        """
        best, least, previous = None, np.inf, np.inf
        for slope in line.slopes():
            allowed = tolerance(slope.value, slope.terms)
            if abs(exact - slope.value) <= 1e-6 * (abs(exact) + max(largest, slope.terms)):
                return exact, tolerance(exact, slope.terms), COMPLEX, slope.bent
            rounding = min(slope.rounding, tolerance(largest, slope.terms))
            if abs(received - slope.value) <= allowed + rounding:
                return slope.value, allowed + rounding, slope.how, slope.bent
            doubt = abs(slope.value - previous) + slope.rounding
            if doubt < least or best is None:
                best, least = (slope.value, allowed + slope.rounding, slope.how, True), doubt
                if np.isfinite(doubt):
                    best = (slope.value, allowed + doubt, slope.how, True)
            previous = slope.value
        return best or (np.nan, 0.0, "no finite difference quotient", True)


def _flat(arrays: list[Array]) -> Array:
    return np.concatenate([np.ravel(a).astype(np.float64) for a in arrays])


def _same(a: list[Array], b: list[Array]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def _eps(outputs: list[Array], inputs: list[Array]) -> float:
    return float(max(np.finfo(a.dtype).eps for a in [*outputs, *inputs]))


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape))


def _unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Array:
    direction = np.zeros(shape)
    direction[index] = 1.0
    return direction
