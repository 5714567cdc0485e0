"""Many runs of one experiment, with settings and seeds: lectures 10 and 11.

:func:`sweep` runs them in processes of this machine or on a cluster and keeps each result, the
moment it arrives, as a row of a table that any spreadsheet opens. A sweep that was interrupted goes
on where it stopped.
"""

from nnlite.sweeps.sweeping import SweepError, sweep

__all__ = ["SweepError", "sweep"]
