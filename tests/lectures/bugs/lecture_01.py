"""Bugs to plant in lecture 01: (cell, code, code with the bug, the claim that must turn red)."""

BUGS = [
    (
        "l01-byhand",
        "w_bar = w_bar + a_bar * x",
        "w_bar = a_bar * x",
        "slope in w: both uses of w count",
    ),
    (
        "l01-012",
        "u_bar * (1 - u**2)",
        "u_bar * (1 - u)",
        "our engine, slopes in w and b, against those by hand",
    ),
    (
        "l01-018",
        "parent.grad = parent.grad + unbroadcast",
        "parent.grad = unbroadcast",
        "slope of x² + x·x² at 2",
    ),
    (
        "l01-descend",
        "theta - eta * gradient(theta)",
        "theta - 0.5 * eta * gradient(theta)",
        "400 steps meet the normal equations",
    ),
    (
        "l01-057",
        "m / (1 - beta1**t), v / (1 - beta2**t)",
        "m, v",
        "Adam's first step for five gradients, in units of lr",
    ),
    (
        "l01-byhand-net",
        "(1 - A**2)",
        "(1 - A)",
        "by hand against the library: 4,780 slopes",
    ),
    (
        "l01-momentum",
        "(ahead if nesterov else e)",
        "e",
        "Nesterov: 200 steps of its slow mode, run",
    ),
    (
        "l01-rmsprop",
        "v = alpha * v + (1 - alpha)",
        "v = v + (1 - alpha)",
        "nnlite.optim.RMSprop takes the steps derived here: 200 positions",
    ),
]
