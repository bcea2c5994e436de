# `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
PORT ?= 8080
ROUNDS ?= 500
# What the demo's ledger is: plain tables, or tryton.
ERP ?= plain
EXAMPLES ?= 2000
# Test files at once: many of them wait for a server most of the time.
WORKERS ?= 4
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
export PYTHONPATH := $(CURDIR):$(CURDIR)/plugins

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-13s %s\n", $$1, $$2}'

.PHONY: install
install: $(STAMP) ## the project's own environment from the lock, nothing started

$(STAMP): requirements-build.txt requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed: make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
	    || { echo "$(PYTHON) cannot make environments: on Debian, apt-get install python3-venv" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes \
	    requirements-build.txt requirements.txt requirements-dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: install ## the main job on made-up data: drain, re-read, compare, print the differences (ERP=tryton)
	$(BIN)/python -m demo --erp $(ERP)

.PHONY: up
up: install ## the demo, then Airflow at http://localhost:8080 (PORT=…) until stopped
	$(BIN)/python -m demo.up --port $(PORT)

.PHONY: test
test: install ## all tests (ARGS='-k name' picks some)
	AIRFLOW_HOME="$(CURDIR)/.airflow/tests" $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

.PHONY: crash-points
crash-points: install ## every crash point alone and in pairs: thousands of schedules (ARGS='--every 10' for fewer)
	$(BIN)/python -m faults.crash_points $(ARGS)

.PHONY: soak
soak: install ## hundreds of rounds of trouble on one store, then its books (ROUNDS=500)
	$(BIN)/python -m faults.soak --rounds $(ROUNDS) $(ARGS)

.PHONY: screenshots
screenshots: install ## the README's pictures anew: the page with the demo's data, in a real Chromium
	$(BIN)/python -m tests.browser.screenshots

.PHONY: bench
bench: install ## speed and memory against peers, side by side (ARGS=--quick: a tenth of the size, a few minutes)
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: fuzz
fuzz: install ## any answer through the real drain, any request to simulator and page, any life of a month (EXAMPLES=2000)
	FUZZ_EXAMPLES=$(EXAMPLES) AIRFLOW_HOME="$(CURDIR)/.airflow/tests" $(BIN)/python -m pytest --timeout 0 \
	    -p no:logging tests/faults/test_fuzz.py tests/faults/test_openapi.py \
	    tests/include/reconciliation/test_month_lives.py tests/include/reconciliation/test_troubled_lives.py $(ARGS)

.PHONY: check
check: install ## lint, format, security lint and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml include plugins dags local_airflow demo
	$(BIN)/mypy

.PHONY: scale
scale: install ## Celery: 200 profiles drained by two workers, of which one is killed (SCALE_PROFILES=…)
	SCALE_PROFILES=$(or $(SCALE_PROFILES),200) AIRFLOW_HOME="$(CURDIR)/.airflow/tests" \
	    $(BIN)/python -m pytest --timeout 7200 tests/deployment/test_celery.py $(ARGS)

.PHONY: migrate
migrate: install ## Airflow's metadata database, the pools, and the store that AIRFLOW_CONN_ROPO_STORE names
	$(BIN)/python -m local_airflow.migration
	$(BIN)/python -m include.status_store.migrate

.PHONY: audit
audit: install ## known vulnerabilities of what is built and run; red too where a package could not be looked up
	@failed=; for lock in requirements-build.txt requirements.txt demo/tryton/requirements.txt; do \
	    $(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner=off -r $$lock $(ARGS) || failed=1; \
	done; test -z "$$failed"

.PHONY: lock
lock: install ## compile the requirements' locks anew (ARGS=--upgrade for newer versions)
	$(COMPILE) $(ARGS) requirements-build.in -o requirements-build.txt
	$(COMPILE) $(ARGS) requirements.in -o requirements.txt
	$(COMPILE) $(ARGS) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) $(ARGS) demo/tryton/requirements.in -o demo/tryton/requirements.txt
	$(COMPILE) $(ARGS) benchmarks/peers/datacompy.in -o benchmarks/peers/datacompy.txt
	$(COMPILE) $(ARGS) benchmarks/peers/dlt.in -o benchmarks/peers/dlt.txt

.PHONY: clean
clean: ## remove the environment, caches and what the tests have made; .airflow stays
	rm -rf $(VENV) .airflow/tests* .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info plugins/*.egg-info

.PHONY: clean-home
clean-home: ## remove .airflow: the demo, and databases, keys and connections of an Airflow without an AIRFLOW_HOME
	rm -rf .airflow
