"""Bugs that lecture 08 must notice: (cell, code, code with the bug, claim that turns red)."""

BUGS = [
    (
        "l08-conv1d",
        "x[a + i]",
        "x[a - i]",  # the convolution of signal processing, without its border
        "the double loop, by hand and as a matrix",
    ),
    (
        "l08-005",
        "(p, p), (p, p)))",
        '(p, p), (p, p)), mode="edge")',  # padded with the border's values, not with zeros
        "our ten lines against the library's conv2d, 8 geometries",
    ),
    (
        "l08-paint",
        "+= y[a]",
        "= y[a]",  # the later stamp wins where two overlap
        "painting by hand, and by the library",
    ),
    (
        "l08-020",
        "columns] += np",
        "columns] = np",  # the same with all the knobs
        "the library's conv_transpose2d against our painting, 8 geometries",
    ),
    (
        "l08-054",
        "np.sum(v**2)",
        "WIDTH * np.var(v)",  # the variance, where the second moment is kept
        "mean of |h_l|²/|h_0|² for four starts, relative to factor^l",
    ),
    (
        "l08-062",
        " - y_bar.mean(axis=0)",
        "",  # no path through the mean
        "batch norm's gradient against the complex step",
    ),
    (
        "l08-016",
        "lr=eta)",
        "lr=eta, momentum=0.1)",
        "all 600 steps of the trained Conv2d, on the path predicted",
    ),
    (
        "l08-033",
        "windows(x, k, s, p, d)",
        "windows(x, k, 1, p, d)",  # the stride forgotten in the weight gradient
        "one trilinear form, three readings",
    ),
]
