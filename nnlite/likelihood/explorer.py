r"""Drag a Gaussian over its data and see its point on the likelihood surface: lecture 07.

A page fragment of SVG and a few lines of script, with the data inside: it moves without a kernel,
in an exported page as well, and is a plain picture where scripts are not run. Level curves are
exact: where the log-likelihood is :math:`\Delta` below its maximum,

.. math:: (\mu-\hat\mu)^2=\sigma^2\Big(\frac{2\Delta}N+1-\log\frac{\sigma^2}{\hat\sigma^2}\Big)
          -\hat\sigma^2 .
"""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np
from numpy.typing import ArrayLike

from nnlite.likelihood.families import Gaussian, _spread_out

_LEVELS = (60, 30, 15, 8, 4, 2, 0.5)  # nats below the maximum, filled from the outside in
_FILLS = ("#eef3f8", "#d9e6f2", "#bdd5ea", "#97bfdf", "#6aa3cf", "#3f86bd", "#1d6ba8")
_LEFT, _RIGHT = (45.0, 405.0), (485.0, 845.0)  # the two panels, left to right
_TOP, _BOTTOM = 30.0, 270.0


class LikelihoodExplorer:
    """Drag mean and standard deviation of a Gaussian over its data; a notebook shows it.

    Parameters
    ----------
    x : array_like (n,)
        At most 200 samples: each is drawn.
    start : (float, float), optional
        Mean and standard deviation shown first, by default visibly off the optimum.

    Attributes
    ----------
    html : str
        The page fragment.
    """

    def __init__(self, x: ArrayLike, start: tuple[float, float] | None = None) -> None:
        self.x = _spread_out(x, "sigma")
        if self.x.size > 200:
            raise ValueError(f"the explorer draws every sample: at most 200; got {self.x.size}.")
        best = Gaussian().fit(self.x)
        self.mu_hat, self.sigma_hat = float(best.mu), float(best.sigma)
        s = self.sigma_hat
        self.start = start or (self.mu_hat + 0.8 * s, 1.7 * s)
        self.sigmas = (0.4 * s, 2.4 * s)
        self.mus = (self.mu_hat - 1.4 * s, self.mu_hat + 1.4 * s)
        low = min(self.x.min(), self.mu_hat - 2.5 * s) - 0.3 * s
        high = max(self.x.max(), self.mu_hat + 2.5 * s) + 0.3 * s
        self.xs = (float(low), float(high))
        self.peak = 1 / (0.55 * s * math.sqrt(2 * math.pi))  # density at the top of the left panel

    @property
    def html(self) -> str:
        """SVG, two range inputs and the script."""
        facts = {
            "x": [round(float(v), 6) for v in self.x],
            "best": [self.mu_hat, self.sigma_hat],
            "start": list(self.start),
            "mus": list(self.mus),
            "sigmas": list(self.sigmas),
            "xs": list(self.xs),
            "peak": self.peak,
            "left": list(_LEFT),
            "right": list(_RIGHT),
            "rows": [_TOP, _BOTTOM],
        }
        data = json.dumps(facts)
        key = "nnlite-" + hashlib.sha256(data.encode()).hexdigest()[:12]
        return (
            f"<div data-explorer='{key}' data-facts='{data}' style='max-width:880px'>"
            f"{self._svg(key)}{self._inputs()}</div>"
            f"<script>{_SCRIPT.replace('KEY', key)}</script>"
        )

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return (
            f"LikelihoodExplorer({self.x.size} samples, maximum at mu={self.mu_hat:.4g}, "
            f"sigma={self.sigma_hat:.4g})"
        )

    def _svg(self, key: str) -> str:
        mu, sigma = self.start
        grid = np.linspace(*self.xs, 121)
        bell = [(self._px(v), self._py(p)) for v, p in zip(grid, self._p(grid), strict=True)]
        stems = "".join(
            f'<line class="stem" x1="{self._px(v):.1f}" x2="{self._px(v):.1f}" y1="{_BOTTOM}" '
            f'y2="{self._py(p):.1f}" stroke="#D55E00" stroke-width="1.4"/>'
            for v, p in zip(self.x, self._p(self.x), strict=True)
        )
        dots = "".join(
            f'<circle cx="{self._px(v):.1f}" cy="{_BOTTOM + 5}" r="3" fill="#D55E00" '
            'fill-opacity="0.6"/>'
            for v in self.x
        )
        bands = "".join(
            f'<path d="{self._level(delta)}" fill="{fill}" stroke="#555" stroke-width="0.5"/>'
            for delta, fill in zip(_LEVELS, _FILLS, strict=True)
        )
        point = f'cx="{self._pm(mu):.1f}" cy="{self._ps(sigma):.1f}"'
        best = self._pm(self.mu_hat), self._ps(self.sigma_hat)
        return (
            '<svg viewBox="0 0 880 320" style="width:100%;touch-action:none;background:#fff" '
            'font-family="sans-serif" font-size="13" fill="#222">'
            f"<title>{_TITLE}</title>"
            f'<clipPath id="{key}-l"><rect x="{_LEFT[0]}" y="{_TOP}" width="360" height="240"/>'
            f'</clipPath><clipPath id="{key}-r"><rect x="{_RIGHT[0]}" y="{_TOP}" width="360" '
            'height="240"/></clipPath>'
            f'<g clip-path="url(#{key}-l)">'
            f'<path class="bell" d="{_path(bell)}" fill="none" stroke="#0072B2" stroke-width="2"/>'
            f"{stems}</g>{dots}"
            f'<g clip-path="url(#{key}-r)">{bands}</g>'
            f'<path d="M{best[0] - 5:.1f} {best[1]:.1f}h10m-5 -5v10" stroke="#fff"/>'
            f'<circle class="point" {point} r="7" fill="#D55E00" stroke="#fff" stroke-width="1.5" '
            'style="cursor:move"/>'
            f'<line class="mean" x1="{self._px(mu):.1f}" x2="{self._px(mu):.1f}" y1="{_TOP}" '
            f'y2="{_BOTTOM}" stroke="#0072B2" stroke-dasharray="4 3"/>'
            f'<circle class="mu" cx="{self._px(mu):.1f}" cy="{_TOP + 8}" r="7" fill="#0072B2" '
            'style="cursor:ew-resize"/>'
            f'<circle class="sigma" cx="{self._px(mu + sigma):.1f}" '
            f'cy="{self._py(_bell(mu + sigma, mu, sigma)):.1f}" r="7" fill="#009E73" '
            'style="cursor:ew-resize"/>'
            f"{self._labels()}</svg>"
        )

    def _labels(self) -> str:
        mu, sigma = self.start
        gap = self._gap(mu, sigma)
        return (
            f'<path d="M{_LEFT[0]} {_BOTTOM}H{_LEFT[1]}M{_RIGHT[0]} {_TOP}V{_BOTTOM}H{_RIGHT[1]}" '
            'fill="none" stroke="#222"/>'
            f'<text x="{_LEFT[0]}" y="18">samples, and the density each gets</text>'
            f'<text x="{_RIGHT[0]}" y="18">log-likelihood; lines '
            "0.5, 2, 4, 8, 15, 30, 60 below the maximum</text>"
            f'<text x="{_RIGHT[1] - 8}" y="{_BOTTOM - 8}">μ</text>'
            f'<text x="{_RIGHT[0] + 6}" y="{_TOP + 12}">σ</text>{self._ticks()}'
            f'<text class="words" x="{_LEFT[0]}" y="312">μ = {mu:.2f}, σ = {sigma:.2f}, '
            f"log-likelihood {self._best_value() - gap:.2f}, {gap:.2f} below the maximum (white "
            "cross)</text>"
        )

    def _ticks(self) -> str:
        """Three numbers on each axis."""
        out = []
        for span, place in ((self.xs, self._px), (self.mus, self._pm)):
            for share in (0.1, 0.5, 0.9):
                v = span[0] + share * (span[1] - span[0])
                out.append(
                    f'<text x="{place(v):.0f}" y="{_BOTTOM + 22}" text-anchor="middle" '
                    f'font-size="11">{v:.1f}</text>'
                )
        for share in (0.1, 0.5, 0.9):
            v = self.sigmas[0] + share * (self.sigmas[1] - self.sigmas[0])
            out.append(
                f'<text x="{_RIGHT[0] - 5}" y="{self._ps(v) + 4:.0f}" text-anchor="end" '
                f'font-size="11">{v:.1f}</text>'
            )
        return "".join(out)

    def _inputs(self) -> str:
        mu, sigma = self.start
        parts = []
        for name, symbol, (low, high), value in (
            ("mu", "μ", self.mus, mu),
            ("sigma", "σ", self.sigmas, sigma),
        ):
            parts.append(
                f'<label style="margin-right:2em">{symbol} <input type="range" name="{name}" '
                f'min="{low:.6g}" max="{high:.6g}" step="{(high - low) / 400:.6g}" '
                f'value="{value:.6g}" style="width:16em;vertical-align:middle"></label>'
            )
        return "".join(parts)

    def _p(self, x: np.ndarray) -> np.ndarray:
        return np.exp(Gaussian(*self.start).log_prob(x))

    def _best_value(self) -> float:
        return -self.x.size / 2 * (math.log(2 * math.pi * self.sigma_hat**2) + 1)

    def _gap(self, mu: float, sigma: float) -> float:
        r = (self.sigma_hat / sigma) ** 2
        shift = ((mu - self.mu_hat) / sigma) ** 2
        return self.x.size / 2 * (r + shift - 1 - math.log(r))

    def _level(self, delta: float) -> str:
        """The closed curve on which the log-likelihood is ``delta`` below its maximum."""
        s, c = self.sigma_hat, 2 * delta / self.x.size

        def square(t: np.ndarray) -> np.ndarray:  # (mu - mu_hat)^2 / s^2 at t = log(sigma / s)
            return np.exp(2 * t) * (c + 1 - 2 * t) - 1

        # the lowest and the highest sigma, where the square is 0, by bisection
        inner, outer = np.zeros(2), np.array([-c - 5.0, c + 5.0])
        for _ in range(60):
            middle = (inner + outer) / 2
            inside = square(middle) > 0
            inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
        turn = (1 - np.cos(np.linspace(0, np.pi, 61))) / 2  # dense at both ends
        t = inner[0] + turn * (inner[1] - inner[0])
        half, sigma = s * np.sqrt(np.maximum(square(t), 0)), s * np.exp(t)
        right = [(self._pm(self.mu_hat + h), self._ps(v)) for h, v in zip(half, sigma, strict=True)]
        left = [(self._pm(self.mu_hat - h), self._ps(v)) for h, v in zip(half, sigma, strict=True)]
        return _path(right + left[::-1]) + "Z"

    def _px(self, v: float) -> float:
        return _scale(v, self.xs, _LEFT)

    def _py(self, p: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * p / self.peak

    def _pm(self, v: float) -> float:
        return _scale(v, self.mus, _RIGHT)

    def _ps(self, v: float) -> float:
        return _scale(v, self.sigmas, (_BOTTOM, _TOP))


def _bell(x: float, mu: float, sigma: float) -> float:
    return math.exp(Gaussian(mu, sigma).log_prob(x))


def _scale(v: float, source: tuple[float, float], target: tuple[float, float]) -> float:
    share = (v - source[0]) / (source[1] - source[0])
    return float(target[0] + share * (target[1] - target[0]))


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a:.1f} {np.clip(b, -5e3, 5e3):.1f}" for a, b in points)


_TITLE = "Drag the blue handle (mean), the green one (standard deviation), or the orange point"

_SCRIPT = """
for (const root of document.querySelectorAll("[data-explorer=KEY]")) {
  if (root.dataset.live) continue;
  root.dataset.live = "yes";
  const f = JSON.parse(root.dataset.facts), svg = root.querySelector("svg");
  const [top, bottom] = f.rows, n = f.x.length, at = (q) => root.querySelector(q);
  const map = (v, a, b) => b[0] + (v - a[0]) / (a[1] - a[0]) * (b[1] - b[0]);
  const clip = (v, a) => Math.min(Math.max(v, a[0]), a[1]);
  const set = (q, o) => { for (const k in o) at(q).setAttribute(k, o[k].toFixed(1)); };
  const stems = [...root.querySelectorAll(".stem")];
  const [mi, si] = root.querySelectorAll("input");
  let mu = f.start[0], sigma = f.start[1], grab = null;
  const p = (x) => Math.exp(-((x - mu) ** 2) / (2 * sigma ** 2)) / (sigma * Math.sqrt(2 * Math.PI));
  const px = (x) => map(x, f.xs, f.left), py = (v) => bottom - (bottom - top) * v / f.peak;
  function draw() {
    let d = "";
    for (let i = 0; i <= 120; i++) {
      const x = f.xs[0] + i / 120 * (f.xs[1] - f.xs[0]);
      d += (i ? "L" : "M") + px(x).toFixed(1) + " " + py(p(x)).toFixed(1);
    }
    at(".bell").setAttribute("d", d);
    stems.forEach((s, i) => s.setAttribute("y2", py(p(f.x[i])).toFixed(1)));
    set(".mean", {x1: px(mu), x2: px(mu)});
    set(".mu", {cx: px(mu)});
    set(".sigma", {cx: px(mu + sigma), cy: Math.max(py(p(mu + sigma)), top)});
    set(".point", {cx: map(mu, f.mus, f.right), cy: map(sigma, f.sigmas, [bottom, top])});
    let l = 0, best = -n / 2 * (Math.log(2 * Math.PI * f.best[1] ** 2) + 1);
    for (const x of f.x) l += Math.log(1 / sigma) - ((x - mu) / sigma) ** 2 / 2;
    l -= n / 2 * Math.log(2 * Math.PI);
    at(".words").textContent = `μ = ${mu.toFixed(2)}, σ = ${sigma.toFixed(2)}, log-likelihood ` +
      `${l.toFixed(2)}, ${Math.max(best - l, 0).toFixed(2)} below the maximum (white cross)`;
    mi.value = mu; si.value = sigma;
  }
  function where(e) {
    const q = svg.createSVGPoint();
    q.x = e.clientX; q.y = e.clientY;
    return q.matrixTransform(svg.getScreenCTM().inverse());
  }
  function move(e) {
    const q = where(e), x = map(q.x, f.left, f.xs);
    if (grab === "mu") mu = clip(x, f.mus);
    if (grab === "sigma") sigma = clip(Math.abs(x - mu), f.sigmas);
    if (grab === "point") {
      mu = clip(map(q.x, f.right, f.mus), f.mus);
      sigma = clip(map(q.y, [bottom, top], f.sigmas), f.sigmas);
    }
    draw();
  }
  svg.addEventListener("pointerdown", (e) => {
    const q = where(e);
    if (q.x > (f.left[1] + f.right[0]) / 2) grab = "point";
    else grab = Math.abs(q.x - px(mu)) <= Math.abs(q.x - px(mu + sigma)) ? "mu" : "sigma";
    svg.setPointerCapture(e.pointerId);
    move(e);
  });
  svg.addEventListener("pointermove", (e) => { if (grab) move(e); });
  for (const end of ["pointerup", "pointercancel"])
    svg.addEventListener(end, () => { grab = null; });
  mi.addEventListener("input", () => { mu = +mi.value; draw(); });
  si.addEventListener("input", () => { sigma = +si.value; draw(); });
}
"""
