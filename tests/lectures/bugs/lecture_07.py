"""Bugs that lecture 07 must notice: (cell, code, code with the bug, claim that turns red)."""

BUGS = [
    (
        "l07-coin",
        "1 - coins[:, None]",
        "coins[:, None]",  # the same probability for heads and tails
        "probability of the record under each of three coins",
    ),
    (
        "l07-009",
        "n * np.log(sigma)",
        "np.log(sigma)",  # the normalisation of one sample instead of n
        "both partial derivatives by autograd, at three places",
    ),
    (
        "l07-013",
        "np.exp(theta[1])",
        "theta[1]",  # walks in sigma and believes it walks in log sigma
        "(μ, σ) after 240 gradient steps",
    ),
    (
        "l07-050",
        "Gaussian(d[0] @ w, sigma)",
        "Gaussian(d[0] @ w, sigma**0.5)",  # a variance where a deviation is meant
        "most likely weights and noise variance, by climbing",
    ),
    (
        "l07-058",
        "StudentT(nu, mu, tau)",
        "StudentT(nu, mu, tau**2)",  # a variance passed as a scale
        "the Student fit solves its three equations",
    ),
    (
        "l07-separable",
        "1 + math.exp(w)",
        "math.exp(w)",  # the slope for large w, at every w
        "separable classes: the weight at t = 10,000",
    ),
    (
        "l07-062",
        "np.log(1 - alpha) + wide",
        "wide",  # two shares that add up to more than 1
        "ℓ + log σ₁ of the spiked mixture at σ₁ = 1e-60",
    ),
    (
        "l07-064",
        "axis=1) / mass)",
        "axis=1) / len(two))",  # variances divided by all samples
        "smallest rise of ℓ in 200 EM steps",
    ),
]
