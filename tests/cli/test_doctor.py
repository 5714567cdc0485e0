"""``nnlite doctor``: says what is there, and is alarmed by wrong gradients only when they are."""

import importlib.metadata
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

import nnlite
from nnlite import kernels
from nnlite.cli import doctor, main, probe, threads


def test_doctor_reports_versions_kernels_and_a_passed_self_test(capsys):
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    for part in (nnlite.__version__, np.__version__, sys.executable, kernels.backend()):
        assert part in report
    assert "self test      passed" in report


def _off_by_a_hair(output, inputs):
    gradients = [g.copy() for g in nnlite.grad(output, inputs)]
    gradients[1][2, 1] *= 2.001 / 2
    return gradients


def _not_a_number(output, inputs):
    gradients = [g.copy() for g in nnlite.grad(output, inputs)]
    gradients[0][0, 0] = np.nan
    return gradients


@pytest.mark.parametrize("broken", [_off_by_a_hair, _not_a_number])
def test_a_wrong_gradient_fails_the_self_test(broken, monkeypatch, capsys):
    assert doctor.self_test() < 1e-8
    assert not doctor.self_test(broken) < 1e-6
    real = doctor.self_test
    monkeypatch.setattr(doctor, "self_test", lambda: real(broken))
    assert main(["doctor"]) == 1
    report = capsys.readouterr().out
    assert "self test      FAILED" in report
    assert "--force-reinstall" in report


#: How many kernels are tried: all that compute something.
ALL = len(kernels.KERNELS) - 1


def _a_bit_off(x, slope):
    return np.where(x > 0, x, slope * x) * 1.001


def _float32_is_off(x, slope):
    return np.where(x > 0, x, slope * x) * (1.001 if x.dtype == np.float32 else 1)


def _nan(x, slope):
    return np.full_like(x, np.nan)


def _raises(x, slope):
    raise ZeroDivisionError("a broken intrinsic")


@pytest.mark.parametrize("broken", [_a_bit_off, _float32_is_off, _raises, _nan])
def test_a_wrong_kernel_fails_and_is_named(broken, monkeypatch, capsys):
    monkeypatch.setattr(kernels, "leaky_relu", broken, raising=False)
    assert main(["doctor"]) == 1
    report = capsys.readouterr().out
    assert f"{ALL - 1} of {ALL} agree" in report
    assert "leaky_relu is WRONG" in report
    assert "! These kernels do not compute what NumPy does: leaky_relu. " in report
    assert "Everything is in order" not in report


@pytest.mark.parametrize("name", [name for name in kernels.KERNELS if name != "warmup"])
def test_every_kernel_is_run_and_a_tenth_of_a_per_cent_is_noticed(name, monkeypatch):
    real = getattr(kernels, name)
    assert [finding.right for finding in probe.probe(names=[name])] == [True]

    def off(*arguments, **options):
        result = real(*arguments, **options)
        if result is None:  # the optimisers' steps work in place
            arguments[0][0][:] *= 1.001
            return None
        if isinstance(result, tuple):
            return (*result[:-1], result[-1] + np.abs(result[-1]).max() / 1000)
        return result * 1.001

    monkeypatch.setattr(kernels, name, off, raising=False)
    assert [finding.right for finding in probe.probe(names=[name])] == [False]


def test_what_is_missing_is_advice_with_a_command_and_not_a_failure(monkeypatch, capsys):
    real = importlib.metadata.version

    def version(name):
        if name in ("numba", "jupyterlab", "ipywidgets"):
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(threads, "_no_wheel_of_numba", lambda: "")
    monkeypatch.setattr("nnlite.cli.problems.sys.platform", "linux")
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert "Numba          not installed" in report
    assert "Install with:  python -m pip install numba " in report
    assert "The lectures need jupyterlab, ipywidgets" in report
    assert 'python -m pip install -e ".[lectures]"' in report


@pytest.mark.parametrize(
    ("platform_", "machine", "version", "libc", "reason"),
    [
        ("linux", "x86_64", (3, 13), "x86_64-pc-linux-gnu", ""),
        ("darwin", "x86_64", (3, 13), "x86_64-apple-darwin", ""),
        ("darwin", "x86_64", (3, 14), "x86_64-apple-darwin", "this Python yet"),
        ("darwin", "arm64", (3, 14), "arm64", ""),
        ("win32", "AMD64", (3, 12), "None", ""),
        ("linux", "x86_64", (3, 12), "x86_64-pc-linux-musl", "musl"),
        ("win32", "ARM64", (3, 11), "None", "Python 3.12"),
        ("linux", "riscv64", (3, 12), "riscv64-linux-gnu", "riscv64"),
        ("linux", "x86_64", (3, 16), "x86_64-pc-linux-gnu", "this Python yet"),
    ],
)
def test_where_numba_has_no_wheel_nobody_is_told_to_install_it(
    platform_, machine, version, libc, reason, monkeypatch, capsys
):
    monkeypatch.setattr(threads, "version", lambda name: None)
    monkeypatch.setattr(threads, "BROWSER", False)
    monkeypatch.setattr(threads.sys, "maxsize", 2**63 - 1)
    monkeypatch.setattr(threads.sys, "platform", platform_)
    monkeypatch.setattr(threads.sys, "version_info", version)
    monkeypatch.setattr(threads.platform, "machine", lambda: machine)
    monkeypatch.setattr(threads.sysconfig, "get_config_var", lambda name: libc)
    advice = []
    threads.numba(advice)
    said = capsys.readouterr().out
    assert reason in said
    assert bool(advice) is not bool(reason)


@pytest.mark.parametrize("error", [ImportError("DLL load failed"), OSError("bad ELF"), KeyError(3)])
def test_a_numba_that_does_not_import_is_a_finding(error, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    advice = []
    monkeypatch.setattr(threads, "version", lambda name: "0.68.1")
    threads.numba(advice)
    assert "Numba 0.68.1 does not import (ModuleNotFoundError" in advice[0]
    said = threads._does_not_import("0.68.1", error)
    assert type(error).__name__ in said
    assert "NNLITE_KERNELS=numpy" in said


def test_an_intel_mac_is_told_the_last_numba_for_it(monkeypatch):
    monkeypatch.setattr(threads.sys, "platform", "darwin")
    monkeypatch.setattr(threads.platform, "machine", lambda: "x86_64")
    assert '"numba<=0.62.1"' in threads._does_not_import("0.68.1", ImportError("no"))


def test_a_busy_machine_is_said(monkeypatch, capsys):
    monkeypatch.setattr(threads.os, "getloadavg", lambda: (50.0, 0, 0), raising=False)
    monkeypatch.setattr(threads, "cores", lambda: 4)
    advice = []
    threads.load(advice)
    assert "load           50.0 on 4 cores" in capsys.readouterr().out
    assert "NUMBA_NUM_THREADS=1" in advice[0]


def test_damaged_digits_fail(monkeypatch, capsys):
    def damaged(split):
        raise nnlite.datasets.CorruptDataError("mnist7k.npz has another checksum")

    monkeypatch.setattr(nnlite.datasets, "mnist", damaged)
    assert main(["doctor"]) == 1
    report = capsys.readouterr().out
    assert "digits         MISSING or damaged" in report
    assert "another checksum" in report
    assert "self test      passed" in report


def test_a_package_of_the_lectures_that_does_not_import_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    advice = []
    doctor._lectures(advice)
    assert any(item.startswith("matplotlib") and "does not import" in item for item in advice)


def test_no_section_keeps_the_others_from_being_heard(monkeypatch, capsys):
    def breaks(advice):
        raise RuntimeError("a surprise")

    for name in ("numba", "blas", "load", "threading_layer"):
        monkeypatch.setattr(threads, name, breaks)
    for name in ("_kernels", "_digits", "_lectures"):
        monkeypatch.setattr(doctor, name, breaks)
    assert main(["doctor"]) == 1
    report = capsys.readouterr().out
    assert "failed with RuntimeError: a surprise" in report
    assert "self test      passed" in report


def test_in_the_browser_no_advice_needs_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "BROWSER", True)
    monkeypatch.setattr(threads, "BROWSER", True)
    monkeypatch.setattr("nnlite.cli.problems.sys.platform", "emscripten")
    monkeypatch.setattr(doctor, "version", lambda name: None)
    monkeypatch.setattr(threads, "version", lambda name: None)
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert "there is none for the browser" in report
    assert "The lectures need matplotlib, scipy, scikit-learn. In a cell of the notebook:" in report
    assert "%pip install matplotlib" in report
    assert "python -m pip" not in report
    assert "jupyterlab" not in report


def _doctor(*options, **environment):
    code = "import sys; from nnlite.cli import main; sys.exit(main(['doctor', *sys.argv[1:]]))"
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code, *options],
        env={**doctor.os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_numpy_kernels_can_be_asked_for():
    run = _doctor("--warmup", NNLITE_KERNELS="numpy")
    assert run.returncode == 0, run.stderr
    assert f"kernels        numpy (NNLITE_KERNELS=numpy), {ALL} of {ALL}" in run.stdout
    assert "warm-up" in run.stdout


def test_kernels_that_do_not_exist_are_named_and_fail():
    run = _doctor(NNLITE_KERNELS="abacus")
    assert run.returncode == 1
    assert "! NNLITE_KERNELS='abacus'" in run.stdout
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not find_spec("numba"), reason="about Numba's switches")
@pytest.mark.parametrize("value", ["0", "two"])
def test_a_wrong_number_of_threads_is_named_and_nobody_is_told_to_upgrade(value):
    run = _doctor(NUMBA_NUM_THREADS=value)
    assert f"! NUMBA_NUM_THREADS={value!r} is not a number of threads." in run.stdout
    assert "upgrade" not in run.stdout.lower()
    assert "self test      passed" in run.stdout


@pytest.mark.skipif(not find_spec("numba"), reason="about Numba's switches")
def test_a_switch_that_keeps_numba_from_starting_is_named():
    run = _doctor(NUMBA_THREADING_LAYER="carrier pigeons")
    assert "Perhaps because of" in run.stdout
    assert "NUMBA_THREADING_LAYER" in run.stdout
    assert "self test      passed" in run.stdout


@pytest.mark.skipif(not find_spec("numba"), reason="about Numba's switches")
def test_numba_switched_off_is_said():
    run = _doctor(NUMBA_DISABLE_JIT="1")
    assert "! NUMBA_DISABLE_JIT is set, so nothing is compiled" in run.stdout
    assert "Everything is in order" not in run.stdout
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not find_spec("numba"), reason="about Numba's threads")
@pytest.mark.parametrize(("layer", "said"), [("omp", "several"), ("workqueue", "one Python")])
def test_the_threading_layer_is_named_with_what_it_allows(layer, said):
    run = _doctor(NUMBA_THREADING_LAYER=layer)
    assert re.search(f"threads +{layer}: .*{said}", run.stdout)


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"nnlite {nnlite.__version__}\n"


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 2
    help_ = capsys.readouterr().err
    assert all(command in help_ for command in ("lectures", "lab", "doctor"))


def test_what_the_kernels_think_of_the_load_is_said(monkeypatch, capsys):
    compiling = pytest.importorskip("nnlite.kernels.fast.compiling")
    monkeypatch.setattr(compiling, "crowded", lambda: True, raising=False)
    threads.threading_layer([])
    assert "other programs keep the cores busy" in capsys.readouterr().out
