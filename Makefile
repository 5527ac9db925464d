# `make` alone lists the targets. Everything runs in .venv, which `make setup` builds.
# Settings come from the environment: `DATABASE_URL=postgresql://… make run`. Written after `make`,
# a password in them would stand in the list of processes.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
TORCH = $(shell grep '^torch==' requirements.lock)
COMPILE := $(BIN)/pip-compile --quiet --allow-unsafe --strip-extras $(if $(UPGRADE),--upgrade) \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
# Only `make fuzz` needs it, so it lies apart.
FUZZER := atheris==3.0.0
# Tests wait more than they compute. Each process has a database server of its own; the tests of one
# file stay in one process, and files keep the order that tests/conftest.py gives them.
SIDE_BY_SIDE := --numprocesses 4 --dist loadfile --no-loadscope-reorder
# What depends on the machine stays out of the lock files: torch's build (2.13.0+cpu) and the
# libraries for graphics cards that some of its builds need. Comments, too.
TIDY := sed -i -e '/^\#/d' -e '/^$$/d' -e 's/^\(torch==[0-9.]*\)+.*/\1/' \
	-e '/^\(nvidia-\|cuda-\|triton\)/d'

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long fuzz lint format bench lock clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.project ## Install all that Chatledger needs into .venv.
	@:

run: setup ## Start everything and open the demo archive (ONCE=1: check it and stop).
	$(BIN)/chatledger demo $(if $(ONCE),--once)

test: setup ## Run the tests.
	$(BIN)/pytest -q -m "not long" $(SIDE_BY_SIDE)

test-long: setup ## Run the full kill and load tests, too.
	$(BIN)/pytest -q -m "not long" $(SIDE_BY_SIDE)
	$(BIN)/pytest -q -m long

fuzz: setup .venv/fuzz/.installed ## Look for inputs that break a reader (SECONDS=300 for each; FORMATS="csv slack").
	PYTHONPATH=.venv/fuzz $(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),300) $(FORMATS)

lint: setup ## Check style, types and the rules of the layers.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code, and mend what can be mended.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## Measure speed and search quality.
	$(BIN)/python -m benchmarks

lock: setup ## Pin the dependencies anew (UPGRADE=1: to their newest versions).
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(TIDY) requirements.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' \
	  > .venv/dev.in
	$(COMPILE) --output-file requirements-dev.lock pyproject.toml .venv/dev.in -c requirements.lock
	$(TIDY) requirements-dev.lock

clean: ## Remove caches. Keeps the data (var/) and .venv.
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -not -path './.venv/*' -not -path '*/node_modules/*' -prune \
	  -exec rm -rf {} +

# Each file below is a stamp: its step runs again only when what it depends on has changed.
.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Chatledger needs Python 3.11 or newer: make setup PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) lacks its venv module. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# First, by itself: pip then chooses its build for this machine, which the lock cannot know.
.venv/.torch: .venv/.created requirements.lock
	$(PIP) install --quiet $(TORCH)
	@touch $@

.venv/.locked: .venv/.torch requirements-dev.lock
	$(PIP) install --quiet --requirement requirements-dev.lock
	@touch $@

.venv/.project: .venv/.locked pyproject.toml
	$(PIP) install --quiet --no-deps --editable .
	@touch $@

.venv/fuzz/.installed: Makefile .venv/.created
	$(PIP) install --quiet --upgrade --no-deps --target .venv/fuzz $(FUZZER)
	@touch $@
