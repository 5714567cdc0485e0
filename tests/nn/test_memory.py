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
