"""How good is a sampler? Numbers with what a perfect sampler would score: lectures 10 and 12.

* :func:`mode_coverage`: modes found, high-quality share, reverse and forward KL over modes.
* :func:`frechet_distance`: between the means and covariances of two samples (or of features).
* :func:`mmd`: between two samples, through a Gaussian kernel.
* :func:`neighbour_test`: does it copy its training data?
* :func:`birthday_test`: how many different things does it make?
* :func:`classifier_score`: what a classifier thinks of it.

Each gives a :class:`Measurement`: the value, what a sampler of the true law scores on average in a
sample of that size, and by how much that varies. A share of 0.96 or a distance of 0.03 means
nothing alone: the first may be three standard deviations below its ceiling, the second below its
floor.

They live beside the GANs, and not in a package of their own, because the question "is this the law
of the data?" comes up with samplers only; they need no GAN and work on any arrays of samples.
"""

from nnlite.gans.metrics.birthday import BirthdayTest, birthday_test
from nnlite.gans.metrics.classifier import classifier_score
from nnlite.gans.metrics.discrepancy import mmd, mmd_of_gaussians
from nnlite.gans.metrics.frechet import frechet_distance, frechet_distance_of_gaussians
from nnlite.gans.metrics.measurement import Measurement
from nnlite.gans.metrics.modes import ModeCoverage, mode_coverage
from nnlite.gans.metrics.neighbours import neighbour_test

__all__ = [
    "BirthdayTest",
    "Measurement",
    "ModeCoverage",
    "birthday_test",
    "classifier_score",
    "frechet_distance",
    "frechet_distance_of_gaussians",
    "mmd",
    "mmd_of_gaussians",
    "mode_coverage",
    "neighbour_test",
]
