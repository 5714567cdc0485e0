"""Bugs of lecture 06 that need another program rather than another number."""

BUGS = [
    # The damaged image is demanded in place of the clean one.
    (
        "l06-train",
        "(net(x_tilde) - x)",
        "(net(x_tilde) - x_tilde)",
        "the loop above and autoencoders.denoising: encoder weights after 2 epochs",
    ),
    # The step of a gradient whose factor 2 was forgotten: it diverges.
    ("l06-gauss-descent", "0.5 / (", "1.1 / (", "gradient descent finds W*"),
    (
        "l06-all-masks",
        "1 - v, v)",
        "v, 1 - v)",
        "best linear denoiser over all 64 masks, v = 0.1, 0.5, 0.9",
    ),
    (
        "l06-learned-score",
        "/ sigma**2",
        "/ sigma",
        "learned score against the exact one, relative squared error, every seed",
    ),
]
