"""Bugs of lecture 04 that need other code: cell, old text, new text, claim that must turn red."""

BUGS = [
    (
        "l04-007a",
        "nn.Sequential(*layers[:-1])",
        "nn.Sequential(*layers)",
        "autoencoders.deep trains by the same ten lines: reconstructions after 100 steps",
    ),
    (
        "l04-007",
        "optimiser.zero_grad()",
        "pass",
        "autoencoders.deep trains by the same ten lines: reconstructions after 100 steps",
    ),
    (
        "l04-028b",
        "(W.detach() if copied else W)",
        "W.detach()",
        "tied network, 6 epochs: better than the best constant image (test digits, 2 seeds)",
    ),
    (
        "l04-036",
        " - y * np.log(np.where(y > 0, y, 1))",
        "",
        "smallest cross-entropy of each of 256 grey levels",
    ),
]
