"""Figures of the course, with Matplotlib, in one colour-blind-safe style.

Call :func:`style` once; every function returns the Axes it drew on and takes ``ax=`` to draw on
yours. Matplotlib is imported when the first figure is drawn. Tensors may be passed as they are.
"""

from ._base import style
from ._charts import curves, latent_scatter, scree
from ._graph import graph
from ._images import filters, images, latent_grid, reconstructions
from ._manifolds import decoder_surface, dichotomies
from ._plane import decoder_curve, field, vector_field
from ._slider import Slider, slider

__all__ = [
    "Slider",
    "curves",
    "decoder_curve",
    "decoder_surface",
    "dichotomies",
    "field",
    "filters",
    "graph",
    "images",
    "latent_grid",
    "latent_scatter",
    "reconstructions",
    "scree",
    "slider",
    "style",
    "vector_field",
]
