"""``nnlite doctor``: says what is there, and is alarmed by wrong gradients only when they are."""

import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest

import nnlite
from nnlite import kernels
from nnlite.cli import doctor, main


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


def test_wrong_kernels_fail(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "sigmoid", lambda x: 1 / (1 + np.exp(-1.001 * x)), raising=False)
    assert main(["doctor"]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_what_is_missing_is_advice_with_a_command_and_not_a_failure(monkeypatch, capsys):
    real = importlib.metadata.version

    def version(name):
        if name in ("numba", "jupyterlab"):
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert "Numba          not installed" in report
    assert 'python -m pip install "nnlite[fast]"' in report
    assert "The lectures need jupyterlab" in report
    assert 'python -m pip install "nnlite[lectures]"' in report


def _doctor(**environment):
    code = "import sys; from nnlite.cli import main; sys.exit(main(['doctor', *sys.argv[1:]]))"
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code, "--warmup"],
        env={**doctor.os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_numpy_kernels_can_be_asked_for():
    run = _doctor(NNLITE_KERNELS="numpy")
    assert run.returncode == 0, run.stderr
    assert "kernels        numpy (NNLITE_KERNELS=numpy)" in run.stdout
    assert "warm-up" in run.stdout


def test_kernels_that_do_not_exist_are_named_and_fail():
    run = _doctor(NNLITE_KERNELS="abacus")
    assert run.returncode == 1
    assert "! NNLITE_KERNELS='abacus'" in run.stdout
    assert "Traceback" not in run.stderr


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"nnlite {nnlite.__version__}\n"


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 2
    help_ = capsys.readouterr().err
    assert all(command in help_ for command in ("lectures", "lab", "doctor"))
