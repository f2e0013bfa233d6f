# Each target sets itself up on a machine with only Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test lint typecheck benchmarks docs

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 18

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) is not; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		echo "making $(VENV)"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "cannot make $(VENV): on Debian or Ubuntu, apt-get install python3-venv" >&2; exit 1; }; }
	@echo "installing into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## tune a real photo: as it is, dark and flat, noisy; pictures go to demo/
	@$(BIN)/enhance demo

lint: $(READY) ## style and format
	@echo "== ruff"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check || { echo "not formatted; run: $(BIN)/ruff format" >&2; exit 1; }

typecheck: $(READY) ## types
	@echo "== mypy"
	@$(BIN)/mypy

# one torch thread a worker: two workers on two cores beat one worker with two threads
test: lint typecheck ## style, types and every test
	@echo "== pytest"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

benchmarks: $(READY) ## measure all anew, in hours, and rewrite docs/benchmarks
	@$(BIN)/python -m benchmarks.all

docs: $(READY) ## build the documentation into site/, warnings are errors
	@echo "== mkdocs"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
