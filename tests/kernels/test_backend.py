"""Which kernels are used, and what choosing them costs."""

import inspect
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from nnlite.kernels import KERNELS, reference


def run(code, **environment):
    env = {**os.environ, **environment}
    if "NNLITE_KERNELS" not in environment:
        env.pop("NNLITE_KERNELS", None)
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)


def test_importing_the_kernels_imports_no_backend():
    done = run(
        "import sys, nnlite.kernels; print('numba' in sys.modules, "
        "any(m.startswith('nnlite.kernels.') for m in sys.modules))"
    )
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_the_environment_chooses_numpy_and_numba_stays_away():
    code = (
        "import sys, numpy as np; from nnlite import kernels; "
        "kernels.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3))); "
        "print(kernels.backend(), 'numba' in sys.modules)"
    )
    done = run(code, NNLITE_KERNELS="numpy")
    assert done.stdout.split() == ["numpy", "False"], done.stderr


def test_an_unknown_backend_is_an_error_that_names_the_known_ones():
    done = run("import nnlite.kernels; nnlite.kernels.backend()", NNLITE_KERNELS="cuda")
    assert done.returncode != 0
    assert "NNLITE_KERNELS='cuda' names no kernel backend; set it to 'numpy' or 'numba'" in (
        done.stderr
    )


BLOCK_NUMBA = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == 'numba':
            raise ImportError('no numba here')
sys.meta_path.insert(0, Blocked())
"""


def test_without_numba_the_numpy_kernels_are_used():
    done = run(BLOCK_NUMBA + "from nnlite import kernels; print(kernels.backend())")
    assert done.stdout.split() == ["numpy"], done.stderr


def test_asking_for_a_numba_that_is_not_there_is_an_error():
    done = run(BLOCK_NUMBA + "from nnlite import kernels; kernels.conv2d", NNLITE_KERNELS="numba")
    assert done.returncode != 0
    assert "Numba cannot be used (ImportError: no numba here)" in done.stderr
    assert "pip install numba" in done.stderr


NEEDS_NUMBA = pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")


@NEEDS_NUMBA
def test_where_numba_may_not_compile_the_numpy_kernels_are_used():
    code = "from nnlite import kernels; print(kernels.backend())"
    assert run(code, NUMBA_DISABLE_JIT="1").stdout.split() == ["numpy"]
    done = run(code, NUMBA_DISABLE_JIT="1", NNLITE_KERNELS="numba")
    assert "NUMBA_DISABLE_JIT is set" in done.stderr


@NEEDS_NUMBA
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUMBA_NUM_THREADS", "0"),
        ("NUMBA_THREADING_LAYER", "foo"),
        ("NUMBA_NUM_THREADS", "-3"),
        ("NUMBA_NUM_THREADS", "99999"),
    ],
)
def test_a_numba_that_does_not_work_is_named_with_its_settings(name, value):
    code = "from nnlite import kernels; print(kernels.backend())"
    done = run(code, **{name: value})
    assert done.stdout.split() == ["numpy"]
    assert f"Correct or unset {name}={value}" in done.stderr
    done = run(code, **{name: value, "NNLITE_KERNELS": "numba"})
    assert done.returncode != 0
    assert f"Correct or unset {name}={value}" in done.stderr


def test_warming_up_says_how_far_it_is(kernels):
    said = []
    assert kernels.warmup(lambda done, total: said.append((done, total))) >= 0
    done, total = zip(*said, strict=True)
    assert list(done) == sorted(done)
    assert set(total) == {done[-1]}


def test_an_unknown_kernel_is_an_attribute_error():
    import nnlite.kernels

    with pytest.raises(AttributeError, match="no attribute 'conv3d'"):
        _ = nnlite.kernels.conv3d


def test_both_backends_have_the_same_kernels_with_the_same_signatures_and_docstrings(kernels):
    assert set(kernels.__all__) == set(KERNELS)
    for name in KERNELS:
        ours, theirs = getattr(kernels, name), getattr(reference, name)
        assert inspect.signature(ours) == inspect.signature(theirs), name
        assert ours.__doc__ == theirs.__doc__ != "", name
