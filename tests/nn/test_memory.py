"""Training steps reuse the memory of the steps before."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
import numpy as np
from nnlite import nn

nn.Linear(1, 1)  # the first parameter of a process asks for it

def step():  # 8 arrays of 4 MB at once, as a network's activations
    arrays = [np.ones(2**20, np.float32) for _ in range(8)]

step(), step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that adapts")
def test_large_arrays_cost_page_faults_once():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    # fresh memory would take 8 * 4 MB / 4 KB = 8192 faults a step with small pages, 16 with huge
    assert int(result.stdout) < 100


def test_importing_layers_takes_no_memory_yet():
    script = (
        "from nnlite import nn; from nnlite.nn._memory import keep_freed_memory as keep; "
        "before = keep.cache_info().currsize; nn.Linear(1, 1); "
        "print(before, keep.cache_info().currsize)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["0", "1"]
