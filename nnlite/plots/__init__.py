"""Figures of the course, with Matplotlib, in one colour-blind-safe style.

Call :func:`style` once; every function returns the Axes it drew on and takes ``ax=`` to draw on
yours. Matplotlib is imported when the first figure is drawn. Tensors may be passed as they are.
"""

from nnlite.plots._base import style
from nnlite.plots._charts import curves, latent_scatter, scree
from nnlite.plots._graph import graph
from nnlite.plots._images import filters, images, latent_grid, reconstructions
from nnlite.plots._manifolds import decoder_surface, dichotomies
from nnlite.plots._plane import decoder_curve, field, vector_field
from nnlite.plots._slider import Slider, slider

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
