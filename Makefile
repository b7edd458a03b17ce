# make run   starts fediblog on http://127.0.0.1:8000
# make test  everything that must be green before a change goes in
# `make help` tells the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.PHONY: help run test check bench fuzz lock clean

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest -q --dist worksteal

# Whatever the environment says, what has been compiled is kept: hundreds of processes would do it again.
export PYTHONDONTWRITEBYTECODE :=

help: ## Tell what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

run: .venv/run.stamp ## Start fediblog on this machine; the first time it sets itself up
	@$(BIN)/fediblog config init --local --if-missing
	exec $(BIN)/fediblog run

# Both databases side by side: many tests wait for processes, mails and clocks, and two cores are idle meanwhile.
test: .venv/test.stamp ## Lint, types, import contracts and all tests on both databases
	@FEDIBLOG_TEST_WITHOUT="$$(tests/system-packages)"
	export FEDIBLOG_TEST_WITHOUT
	# In a fresh clone five processes would compile all tests at the same time.
	$(PYTEST) --collect-only > /dev/null 2>&1 &
	compiled=$$!
	$(MAKE) --no-print-directory check
	wait $$compiled || true  # Whatever is wrong with a test is said by its run.
	log=$$(mktemp)
	trap 'rm -f "$$log"' EXIT
	case " $$FEDIBLOG_TEST_WITHOUT " in
	*" postgresql "*) true & ;;
	*) FEDIBLOG_TEST_DATABASE=postgres $(PYTEST) -n 2 -m "not once" > "$$log" 2>&1 & ;;
	esac
	second=$$!
	failed=0
	echo "== all tests, on SQLite"
	FEDIBLOG_TEST_DATABASE=sqlite $(PYTEST) -n 3 || failed=1
	echo "== what depends on the database again, on PostgreSQL"
	wait $$second || failed=1
	cat "$$log"
	exit $$failed

check: .venv/test.stamp ## Format, lint, types and import contracts: seconds
	@$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/test.stamp ## Run what lies in benchmarks/
	@shopt -s nullglob
	files=(benchmarks/bench_*.py)
	[ $${#files[@]} -gt 0 ] || echo "There are no benchmarks yet."
	for file in "$${files[@]}"; do echo "== $$file"; $(BIN)/python "$$file"; done

fuzz: .venv/test.stamp ## Ask a real server 20,000 things made up from its OpenAPI document; REQUESTS=n for more or fewer
	@FEDIBLOG_GENERATED_REQUESTS=$${REQUESTS:-20000} $(PYTEST) -s tests/flows/test_generated_requests.py

# The lowest Python that we support makes the lock: what only it needs does no harm on newer ones.
lock: .venv/test.stamp ## Renew the locked dependencies (requirements*.txt) with the newest versions
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "make the lock with Python 3.11")'
	export CUSTOM_COMPILE_COMMAND="make lock"
	places=(--no-emit-index-url --no-emit-trusted-host --no-emit-find-links)  # make eats dashes that begin a line
	compile=($(BIN)/pip-compile --upgrade --generate-hashes --strip-extras --allow-unsafe --quiet "$${places[@]}")
	"$${compile[@]}" --only-build-deps --build-deps-for editable --output-file requirements-build.txt pyproject.toml
	"$${compile[@]}" --output-file requirements.txt pyproject.toml
	"$${compile[@]}" --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

clean: ## Remove what `make` has made; your data stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info

# First the tools that build: what has no wheel is built with them, so nothing comes in without its hash.
.venv/%.stamp: pyproject.toml requirements-build.txt | .venv/bin/python
	@echo "Installing the locked dependencies ..."
	$(PIP) install --require-hashes -r requirements-build.txt
	$(PIP) install --require-hashes --no-build-isolation -r $(filter-out %-build.txt,$(filter requirements%,$^))
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

.venv/run.stamp: requirements.txt
.venv/test.stamp: requirements-dev.txt

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
	  { echo "fediblog needs Python 3.11 or newer; say which one: make PYTHON=python3.12 ..." >&2; exit 1; }
	if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then
	  [ "$$(id -u)" = 0 ] || { echo "Please install python3-venv first: sudo apt-get install python3-venv" >&2; exit 1; }
	  apt-get update -qq && apt-get install -y -qq python3-venv
	fi
	$(PYTHON) -m venv .venv
