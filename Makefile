# Everything runs in .venv, made here; only Python 3.11 or newer and make are needed.

# The first Python on the path that is new enough; or say which: make PYTHON=/path/to/python demo
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Exact versions for what is installed and for what builds it.
export PIP_CONSTRAINT := constraints.txt
# How the demo is started: make demo ARGS="--devices 10000 --scenario hostile"
ARGS ?=

.PHONY: demo test check contract bench soak screenshots clean
.DEFAULT_GOAL := demo

demo: .venv/runtime.stamp
	@$(BIN)/mdm-tui demo $(ARGS)

# Four, also on two cores: tests of screens wait more than they compute.
test: .venv/dev.stamp
	$(BIN)/python -m pytest -n 4 -m "not soak" tests

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python scripts/sizes.py

contract: .venv/dev.stamp
	$(BIN)/python -m pytest -n 2 -o python_files="test_*.py schemathesis_long.py" tests/contract

bench: .venv/dev.stamp
	$(BIN)/python tests/benchmarks/bench.py

soak: .venv/dev.stamp
	$(BIN)/python -m pytest -m soak tests

screenshots: .venv/dev.stamp
	$(BIN)/python scripts/screenshots.py

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache snapshot_report.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/python.stamp:
	@test -n "$(PYTHON)" || { echo "mdm-tui needs Python 3.11 or newer; none was found. Install one, or: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "The environment could not be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

.venv/runtime.stamp: .venv/python.stamp pyproject.toml constraints.txt
	@echo "Installing mdm-tui into .venv (once)"
	@$(PIP) install --editable .
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp
	@echo "Installing the tools for development into .venv (once)"
	@$(PIP) install --editable ".[dev]"
	@touch $@
