"""LaTeX for a terminal: the formulas of the ledger (lecture 01) in one line of plain Unicode."""

from __future__ import annotations

import re

__all__ = ["plain"]

_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "sum": "Σ", "prod": "Π", "int": "∫", "partial": "∂", "nabla": "∇", "infty": "∞", "ell": "ℓ",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈",
    "sim": "~", "propto": "∝", "in": "∈", "notin": "∉", "cdot": "·", "times": "×", "pm": "±",
    "odot": "⊙", "otimes": "⊗", "oplus": "⊕", "circ": "∘", "star": "*", "ast": "*",
    "to": "→", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "Leftrightarrow": "⇔",
    "iff": "⇔", "mapsto": "↦", "top": "ᵀ", "langle": "⟨", "rangle": "⟩", "lVert": "‖",
    "rVert": "‖", "Vert": "‖", "vert": "|", "mid": "|", "forall": "∀", "exists": "∃",
    "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "bmod": " mod ", "succeq": "⪰",
    "preceq": "⪯", "succ": "≻", "prec": "≺", "ll": "≪", "gg": "≫", "equiv": "≡", "subset": "⊂",
    "subseteq": "⊆", "cup": "∪", "cap": "∩", "setminus": "∖", "emptyset": "∅", "angle": "∠",
    "Longrightarrow": "⟹", "longrightarrow": "⟶", "Longleftrightarrow": "⟺", "cong": "≅",
    "wedge": "∧", "vee": "∨", "lnot": "¬", "dagger": "†", "prime": "′", "mp": "∓", "div": "÷",
    "dots": "...", "ldots": "...", "cdots": "...", "quad": " ", "qquad": " ",
}  # fmt: skip

# Commands that only choose a typeface or a size; what they apply to stays.
_TYPEFACES = re.compile(
    r"\\(?:mathrm|mathcal|mathbf|mathbb|mathsf|mathtt|mathit|boldsymbol|operatorname\*?|boxed"
    r"|text(?:rm|bf|it|tt)?)\s*(?:\{([^{}]*)\}|(\w))"
)
_SIZES = re.compile(
    r"\\(?:left|right|[bB]igg?[lrm]?|(?:display|text|script)style|limits|nolimits)(?![a-zA-Z])"
)
_ACCENTS = {
    "hat": "\u0302", "overline": "\u0305", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307",
    "vec": "\u20d7",
}  # fmt: skip


_FUNCTIONS = (
    *("arg", "cos", "cosh", "cov", "det", "dim", "exp", "inf", "ker", "lim", "ln", "log"),
    *("max", "min", "sin", "sinh", "sup", "tan", "tanh"),
)
_UP = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_DOWN = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_PART = r"\{((?:[^{}]|[_^]\{[^{}]*\})*)\}"  # braces that hold no braces but those of an index
_ARGUMENT = rf"\s*(?:{_PART}|(\w))"  # of a command: in braces, or one letter or digit


def plain(latex: str) -> str:
    r"""A formula as one line of Unicode; what has no plain form stays LaTeX.

    Parameters
    ----------
    latex : str
        A formula without dollar signs.

    Examples
    --------
    >>> plain(r"\frac{\lambda_i}{n}\sum_{j\ne i}\sqrt{x_j^2},\quad\tfrac12\,\mathrm{tr}\,S^\top")
    'λ_i/n Σ_{j≠i}√(x_j²), 1/2 tr Sᵀ'
    """
    text = latex.replace(r"\|", "‖").replace(r"\{", "{").replace(r"\}", "}")
    text = _SIZES.sub("", text)
    text = re.sub(r"\\[,;:! ]|~", " ", text).replace("&", "").replace(r"\\", "; ")
    # A space that only ends a command's name is not meant to be seen.
    text = re.sub(r"\\([a-zA-Z]+)( ?)", lambda m: _SYMBOLS.get(m[1], m[0]), text)
    text = re.sub(rf"(?<=[\w)\]}}ᵀ])\\({'|'.join(_FUNCTIONS)})(?![a-zA-Z])", r" \1", text)
    text = re.sub(rf"\\({'|'.join(_FUNCTIONS)})(?![a-zA-Z])", r"\1", text)
    before = ""
    while before != text:  # from the innermost braces outwards
        before = text
        text = re.sub(r"\\operatorname\*?\{(\w+)\}(?=\w)", r"\1 ", text)
        text = _TYPEFACES.sub(lambda m: m[1] if m[1] is not None else m[2], text)
        text = re.sub(
            rf"\\({'|'.join(_ACCENTS)})(?:\s*\{{(\w)\}}|\s*(\w))",
            lambda m: (m[2] or m[3]) + _ACCENTS[m[1]],
            text,
        )
        text = re.sub(r"\\sqrt\s*(?:\{(\w)\}|(\w))", r"√\1\2", text)
        text = re.sub(rf"\\sqrt\s*{_PART}", r"√(\1)", text)
        text = re.sub(r"\\[dt]?frac\s*(\w)\s*(\w)(?=\w)", r"\1/\2 ", text)
        text = re.sub(r"\\[dt]?frac\s*(\w)\s*(\w)", r"\1/\2", text)
        text = re.sub(
            rf"\\[dt]?frac{_ARGUMENT}{_ARGUMENT}",
            lambda m: f"{_grouped(m[1] or m[2])}/{_grouped(m[3] or m[4])} ",
            text,
        )
        text = re.sub(
            rf"\\[dt]?binom{_ARGUMENT}{_ARGUMENT}",
            lambda m: f"C({(m[1] or m[2]).strip()}, {(m[3] or m[4]).strip()})",
            text,
        )
        text = re.sub(r"([_^])\{(\w)\}", r"\1\2", text)
    text = re.sub(r"\^ᵀ|\^\{ᵀ\}", "ᵀ", text)
    text = re.sub(r"\^(?:(\d)|\{(-?\d+)\})", lambda m: (m[1] or m[2]).translate(_UP), text)
    text = re.sub(r"_(?:(\d)|\{(\d+)\})", lambda m: (m[1] or m[2]).translate(_DOWN), text)
    return re.sub(r" +(?=[ ,;.)}=])|(?<=\() +", "", text).strip()


def _grouped(part: str) -> str:
    """Numerator or denominator, in parentheses unless it is one factor."""
    part = part.strip()
    return part if re.fullmatch(r"[\w.ᵀ]+(?:[_^]\{[^{}]*\})?", part) else f"({part})"
