"""Bugs of lecture 03 that need other code: cell, old text, new text, claim that must turn red."""

BUGS = [
    (
        "l03-005",
        "V1, V2 = beta * V1 - eta * W1_bar, beta * V2 - eta * W2_bar",
        "V1, V2 = beta * (V1 - eta * W1_bar), beta * (V2 - eta * W2_bar)",
        "optim.SGD(momentum=0.9) walks the path of the hand-written loop (largest difference)",
    ),
    (
        "l03-009",
        "rows = np.sqrt(N / n) * np.linalg.qr",
        "rows = np.linalg.qr",
        "784 rows of R give the digits' encoder gradient",
    ),
    (
        "l03-040",
        "0.02 * (W1_bar + swap(W2_bar))",
        "0.02 * W1_bar",
        "tied weights, large start: mean variance of a hidden unit",
    ),
    (
        "l03-080",
        "weight_decay=2 * alpha / N",
        "weight_decay=2 * alpha / N**2",
        "digits: SVD of the decoder trained with weight_decay = 2α/N, |cos| of 10 components",
    ),
]
