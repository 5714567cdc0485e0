r"""Principal component analysis: lecture 02, and the yardstick of every autoencoder after it.

Find the :math:`M` orthonormal directions :math:`u_1,\dots,u_M` along which centred data vary most.
They are the leading eigenvectors of the covariance :math:`C`; keeping them and putting the mean on
all others reconstructs with squared error :math:`\sum_{j>M}\lambda_j`, the least any
:math:`M`-dimensional subspace allows. The interface is scikit-learn's.
"""

from nnlite.errors import ConvergenceWarning, NotFittedError
from nnlite.pca.estimator import PCA

__all__ = ["PCA", "ConvergenceWarning", "NotFittedError"]
