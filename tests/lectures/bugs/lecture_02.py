"""Bugs to plant in lecture 02: (cell, code, code with the bug, the claim that must turn red)."""

BUGS = [
    ("l02-005", "C = X - mu", "C = X", "variance of the digits along u1"),
    ("l02-005", "C.T @ C / n", "C.T @ C / (n - 1)", "variance of the digits along u1"),
    (
        "l02-029",
        "return mu + z @ U[:, :M].T",
        "return z @ U[:, :M].T",
        "price of forgetting the mean, 10 components",
    ),
    (
        "l02-047",
        "np.linalg.qr(S @ Q).Q",
        "np.linalg.qr(Q + S @ Q).Q",
        "power iteration: the first 41 angles",
    ),
    ("l02-051", "2 * np.sum(WS * W)", "np.sum(WS * W)", "rate of gradient descent"),
]
