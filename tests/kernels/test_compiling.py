"""How the kernels are compiled: what runs in parallel, and when compiled code may be used again."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

pytest.importorskip("numba")

from nnlite.kernels import fast
from nnlite.kernels.fast import compiling


def threaded_functions():
    """Every function that is compiled for threads, where it is defined."""
    for module in iter_modules(fast.__path__):
        module = import_module(f"{fast.__name__}.{module.name}")
        for function in vars(module).values():
            compiled = getattr(function, "dispatcher", None)
            if compiled is not None and function.__module__ == module.__name__:
                yield compiled


def parallel_loops(function):
    """How many loops of a compiled function run in parallel, for each kind of arguments."""
    for signature, compiled in function.overloads.items():
        key = function._cache._index_key(signature, compiled.library.codegen)
        library = function._cache._cache_file.load(key)[0]
        code = library[2][0]  # (name, "object", (machine code, ...))
        yield len(set(re.findall(rb"__numba_parfor_gufunc_\w+", code)))


def test_only_prange_loops_are_parallel():
    """Numba would make a parallel loop of each ``a[:] = 0`` too, and wake all threads for it."""
    fast.warmup()
    functions = list(threaded_functions())
    assert len(functions) > 15
    for function in functions:
        written = len(re.findall(r"\bin prange\(", inspect.getsource(function.py_func)))
        found = set(parallel_loops(function))
        assert found == {written}, (function.__name__, written, found)


def test_compiling_does_not_change_the_options_of_the_next_kernel():
    options = dict(compiling.ONLY_PRANGE)
    assert options.pop("prange") is True
    assert set(options.values()) == {False}
    for function in threaded_functions():
        assert function.targetoptions["parallel"] is not compiling.ONLY_PRANGE


def test_the_count_of_parallel_loops_sees_a_sum_that_was_made_parallel(tmp_path):
    """The bug that was: no options left, so that the assignment of a whole array is such a loop."""
    code = """
import sys
import numpy as np
sys.path.insert(0, {folder!r})
from numba import prange
from nnlite.kernels.fast import compiling
from test_compiling import parallel_loops
for options in (compiling.ONLY_PRANGE, {{}}):
    def f(x, nt):
        x[:] = 1
        for t in prange(nt):
            x[t] += x.sum()
    compiled = compiling._jit(f, compiling.FASTMATH, parallel=dict(options) or True)
    compiled(np.ones(9), 2)
    print(*parallel_loops(compiled))
"""
    script = tmp_path / "script.py"
    script.write_text(code.format(folder=str(Path(__file__).parent)))
    one, more = run(script, tmp_path).split()
    assert int(one) == 1
    assert int(more) > 1


def run(script, cache, **environment):
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compiled_code_is_used_again_only_with_the_sources_it_came_from(tmp_path):
    """A function contains what it calls: an edit in another file must reach it too, and options."""
    package = tmp_path / "copy" / "nnlite"
    ours = Path(compiling.__file__).parents[2]
    shutil.copytree(ours, package, ignore=shutil.ignore_patterns("__pycache__", "data"))
    script = tmp_path / "script.py"
    script.write_text(f"""
import sys
sys.path.insert(0, {str(package.parent)!r})
import numpy as np
from numba.core import event

class Compiled(event.Listener):
    names = set()
    def on_start(self, event):
        self.names.add(event.data["dispatcher"].py_func.__name__)
    def on_end(self, event):
        pass

event.register("numba:compile", Compiled())
from nnlite.kernels.fast import steps
assert steps.__file__.startswith({str(package.parent)!r})
p, g = np.zeros((2, 4), np.float32)
steps.sgd_step([p], [g], None, 0.1)
print("_sgd" in Compiled.names)
""")
    cache = tmp_path / "cache"
    assert run(script, cache).strip() == "True"
    assert run(script, cache).strip() == "False"
    shared = package / "kernels" / "fast" / "compiling.py"
    shared.write_text(shared.read_text().replace('{"contract", "reassoc",', '{"contract",'))
    assert run(script, cache).strip() == "True"
