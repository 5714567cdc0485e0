# nnlite: `make lectures` and `make test` need Python 3.11 or newer, and a network the first time.
#
#   make lectures             run every lecture in a fresh kernel, and see build/index.html
#   make lectures ONLY="1 3"  some of them;  FULL=1 runs the seeded studies in full
#   make test                 run the tests on all cores;  ONLY=tests/nn  some of them
#   make power                run the lectures with planted bugs: each check must turn red
#   make lab                  open a working copy of the lectures in JupyterLab
#   make lint                 ruff and mypy
#   make bench                side-by-side timings; installs PyTorch and others to compare with
#   make clean                remove what was built; `make distclean` removes .venv too
#
# PYTHON=python3.12 make ... takes another interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help lectures test power lab lint bench clean distclean

help:
	@sed -n 's/^#   //p' Makefile

lectures: $(VENV)/installed-lectures
	$(BIN)/nnlite lectures $(ONLY) $(if $(FULL),--full)

test: $(VENV)/installed-test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal $(ONLY)

power: $(VENV)/installed-test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal \
	  -m power tests/lectures

lab: $(VENV)/installed-lectures
	$(BIN)/nnlite lab

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-bench
	set -e; for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script; done

clean:
	rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find nnlite tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)

# One environment; a stamp for each set of extras, out of date when pyproject.toml changes.
$(VENV)/installed-%: pyproject.toml | $(BIN)/python
	@echo "installing what \"$*\" needs into $(VENV) (once; a minute, or more on a slow network)"
	@$(PIP) --editable ".[$*]"
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "nnlite needs Python 3.11 or newer; name one:  make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv. On Debian or Ubuntu:  sudo apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
