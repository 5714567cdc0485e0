"""Do others need the cores too? Then a kernel's threads would wait for one another.

A threaded kernel is done when its last thread is. Where another program holds a core, that thread
gets its turn milliseconds later, and the one that has finished spins meanwhile: a step of a small
network, half a millisecond on an idle machine, takes a hundred. There one thread is faster than
two. Linux says for each thread how long it was ready to run and had no core; where all threads of
this process together waited for more than a share of the time, kernels run on one thread for a
while, and then try again.

Only who computes changes, not what: work is divided as before, and one thread does all parts, so
that results are the same to the bit on a busy machine and on an idle one.
"""

import os
from collections.abc import Callable
from time import perf_counter

LIMIT = 0.3  #: seconds of waiting, over all threads, in a second
WINDOW = 0.1  #: seconds between looks while threads are used
TRIAL = 0.02  #: seconds for which threads are tried again
PAUSES = 0.25, 4.0  #: seconds on one thread, doubled from the first to the last


def waited() -> float | None:
    """The seconds for which this process's threads waited for a core; None if unknown."""
    total = 0
    try:
        for thread in os.listdir("/proc/self/task"):
            try:
                with open(f"/proc/self/task/{thread}/schedstat", "rb") as file:
                    total += int(file.read().split()[1])
            except FileNotFoundError:  # it has ended since
                continue
    except (OSError, IndexError, ValueError):  # not Linux, or one that does not tell
        return None
    return total * 1e-9


class Crowding:
    """Tells, at no cost between looks, whether kernels should keep to one thread.

    Parameters
    ----------
    waited : callable
        Seconds of waiting so far, or None where the system does not tell: then nothing is crowded.
    """

    def __init__(self, waited: Callable[[], float | None] = waited) -> None:
        self._waited = waited
        self._before: tuple[float, float] | None = None
        self._next_look = 0.0
        self._pause = PAUSES[0]
        self.crowded = False

    def __call__(self) -> bool:
        """Whether kernels should run on one thread now."""
        now = perf_counter()
        if now >= self._next_look:
            self.look(now)
        return self.crowded

    def look(self, now: float) -> None:
        """Decide for some time to come."""
        waiting = self._waited()
        if waiting is None:
            self.crowded, self._next_look = False, float("inf")
            return
        before, self._before = self._before, (now, waiting)
        if self.crowded:
            self.crowded = False
            self._next_look = now + TRIAL
        elif before and waiting - before[1] > LIMIT * (now - before[0]):
            self.crowded = True
            self._next_look = now + self._pause
            self._pause = min(2 * self._pause, PAUSES[1])
        else:
            self._pause = PAUSES[0]
            self._next_look = now + WINDOW


crowded = Crowding()
