"""Data for the course: digits that ship with the package, and generators with known answers.

* :func:`mnist`: 7,000 real handwritten digits, no network needed (lectures 01-13).
* :func:`gaussian_cloud`, :func:`ring_of_gaussians`, :func:`grid_of_gaussians`,
  :func:`parabola`, :func:`swiss_roll`, :func:`two_moons`, :func:`circle`: point clouds whose
  law is known (lectures 02-11).
* :func:`faces`: drawn faces with known attributes, and :func:`read_attributes` for the way back
  (lectures 05 and 12).
* :class:`GaussianMixture`: exact density, score and denoiser (lectures 06, 09-11).

Every generator takes ``rng=`` (a seed or a ``numpy.random.Generator``) and returns float64;
layers cast data to their own dtype.
"""

from nnlite.datasets.digits import Digits, mnist
from nnlite.datasets.face_data import FACE_DTYPE, Faces, face_attributes, faces, random_attributes
from nnlite.datasets.face_reader import read_attributes, read_scores
from nnlite.datasets.idx import CorruptDataError, read_idx
from nnlite.datasets.mixtures import GaussianMixture, grid_mixture, ring_mixture, three_blobs
from nnlite.datasets.points import (
    circle,
    gaussian_cloud,
    grid_of_gaussians,
    parabola,
    ring_of_gaussians,
    swiss_roll,
    two_moons,
)

__all__ = [
    "FACE_DTYPE",
    "CorruptDataError",
    "Digits",
    "Faces",
    "GaussianMixture",
    "circle",
    "face_attributes",
    "faces",
    "gaussian_cloud",
    "grid_mixture",
    "grid_of_gaussians",
    "mnist",
    "parabola",
    "random_attributes",
    "read_attributes",
    "read_idx",
    "read_scores",
    "ring_mixture",
    "ring_of_gaussians",
    "swiss_roll",
    "three_blobs",
    "two_moons",
]
