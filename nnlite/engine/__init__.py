"""The autograd engine (lecture 01).

Read in this order: :mod:`~nnlite.ops.operation` (what a rule is), :mod:`~nnlite.ops.elementwise`
(the table of rules), :mod:`~nnlite.engine.tensor` (``record``, its first function, and
:mod:`~nnlite.engine.node`, what it notes), :mod:`~nnlite.engine.backward` (the walk back) and
:mod:`~nnlite.engine.derivatives` (grad, jacobian, hessian).
"""

from nnlite.engine import operators
from nnlite.engine.derivatives import grad, hessian, hvp, jacobian
from nnlite.engine.state import default_dtype, no_grad
from nnlite.engine.tensor import Tensor
