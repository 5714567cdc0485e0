"""What can go wrong with a likelihood (lecture 07): it has no maximum, or no unique one."""


class UnboundedLikelihoodError(ValueError):
    """The likelihood grows without bound on these data, so no parameters maximise it."""


class FlatLikelihoodWarning(UserWarning):
    """The likelihood does not change along some direction: the data do not fix those parameters."""


class CollapseWarning(UserWarning):
    """A component of a mixture has shrunk onto a few points and rests on the covariance floor."""
