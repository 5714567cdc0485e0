"""Bugs of lecture 05 that need another program rather than another number."""

BUGS = [
    # Right for a projector, whose square it is, and for no other map.
    (
        "l05-formula",
        "(lost @ S_o) * lost",
        "(lost @ S_o) * np.eye(len(A))",
        "a network stopped half-way through its training, on 8s",
    ),
    (
        "l05-copy",
        "4 / eps",
        "4.1 / eps",
        "largest copying error / bound, eps = 1, 0.5, 0.1",
    ),
    (
        "l05-star-index-run",
        "- 2 * queries",
        "- 3 * queries",
        "one number as an index: test error against 13 linear numbers",
    ),
]
