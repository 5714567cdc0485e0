"""Bugs that lecture 09 must notice: (cell, code, code with the bug, claim that turns red)."""

BUGS = [
    (
        "l09-bend",
        "1.6 / np.cosh",
        "0.8 / np.cosh",  # the inner derivative forgotten
        "density of the samples G(z), counted in four windows",
    ),
    (
        "l09-best-logit",
        "np.log(sigma2 / sigma1)",
        "np.log(sigma1 / sigma2)",  # the normalisations exchanged
        "best D at 161 places, by search",
    ),
    (
        "l09-learn-code",
        "p * F.softplus(-a) + q * F.softplus(a)",
        "p * F.softplus(a) + q * F.softplus(-a)",  # real and fake exchanged
        "learned D where there are data, both tasks",
    ),
    (
        "l09-players",
        "optim.SGD(G.parameters(), lr=0.05)",
        "optim.SGD([*G.parameters(), *D.parameters()], lr=0.05)",  # G's optimiser moves D too
        "D's step: G's parameters and gradient; G's step: D's parameters",
    ),
    (
        "l09-loop",
        ".detach()",
        "",  # D's loss reaches the generator
        "D's step: G's parameters and gradient; G's step: D's parameters",
    ),
    (
        "l09-loop",
        "bce(D(real), ones) + bce(D(fake), zeros)",
        "(bce(D(real), ones) + bce(D(fake), zeros)) / 2",  # the mean of two terms for their sum
        "θ and τ after 200 steps of the library's trainer",
    ),
    (
        "l09-signal-code",
        "-d * (theta + z) + d**2 / 2",
        "-theta * (theta + z) + theta**2 / 2",  # the judge moves with the generator
        "force on θ under both losses at d = 1, 2, 4",
    ),
    (
        "l09-star-spiral-code",
        "judge = now if together else w",
        "judge = now",  # both players at once
        "radius after a step, one player after the other, mean over a turn",
    ),
]
