# `make help` lists what can be made. Everything lands in .venv/ and var/.

PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test coverage faults guards soak bench bench-api papers screenshots lint format lock clean browser demo-data bench-admin

# What Django's own checks need to start; nothing is connected to.
CHECK_ENV := SECRET_KEY=only-for-checks-only-for-checks-only-for-checks-only-for-checks LIMBO_LOCAL=1 LIMBO_PROVIDERS=sink=smtp://127.0.0.1:2525
LOCK := $(BIN)/uv pip compile -q --universal --no-strip-extras --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: .venv/local-installed ## Start all of Limbo here, post a first message, stay until Ctrl-C
	@exec $(BIN)/python -m limbo.local.run

test: .venv/dev-installed browser ## Run the tests, on a PostgreSQL of their own
	@$(BIN)/pytest

coverage: .venv/dev-installed browser ## Run the tests, and show what they cover: takes half as long again
	@$(BIN)/pytest --cov --cov-report=term

faults: .venv/dev-installed ## Make every fault of the matrix happen, and print what came of it
	@$(BIN)/pytest tests/faults -m faults

soak: .venv/dev-installed ## Load a whole Limbo under random faults for MINUTES=15, then judge it
	@$(BIN)/python -m tests.soak

guards: .venv/dev-installed ## Take each guard of the delivery out, and see its test fail
	@$(BIN)/python -m tests.faults.guards

demo-data: .venv/local-installed ## Make up N=10000 messages of a month, for `make run` or DATABASE_URL
	@$(BIN)/python -m limbo.local.demo_data

bench-admin: .venv/local-installed ## Time staff's screens on N=1000000 made-up messages, against limits
	@$(BIN)/python -m benchmarks.admin

bench: .venv/local-installed .venv-bench/installed ## Race Limbo against its peers; ONLY= ROUNDS= SCALE= choose what and how long
	@$(BIN)/python -m benchmarks

screenshots: .venv/dev-installed browser ## Take pictures of the main pages, light and dark, wide and narrow, into docs/images
	@$(BIN)/pytest -q -s -p no:cacheprovider tests/browser/screenshots.py

papers: .venv/dev-installed ## Write the papers in docs/reference that are made from the code
	@$(BIN)/python -m tests.docs.made

bench-api: .venv/local-installed ## Race the API's intake against bare views; ROUNDS= SECONDS= choose how long
	@$(BIN)/python -m benchmarks.api

lint: .venv/dev-installed ## Check style, types, the rooms' order, templates and migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --check --lint --quiet templates
	$(CHECK_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECK_ENV) $(BIN)/python manage.py check

format: .venv/dev-installed ## Lay out code and templates as `make lint` wants them
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	-$(BIN)/djlint --reformat --quiet templates

lock: .venv/dev-installed ## Choose the newest versions that fit and write requirements*.txt
	$(LOCK) --upgrade requirements.in -o requirements.txt
	$(LOCK) --upgrade requirements-local.in -o requirements-local.txt
	$(LOCK) --upgrade requirements-dev.in -o requirements-dev.txt
	$(LOCK) --upgrade requirements-bench.in -o requirements-bench.txt

clean: ## Remove .venv, .venv-bench and all caches; var/ (database, inbox, secrets) stays
	rm -rf .venv .venv-bench .coverage .coverage.* htmlcov staticfiles
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -d var ]; then echo "var/ stays; when nothing runs in it: rm -r var"; fi

# Lists what is installed by the time of the stamp: an unchanged lock costs nothing.
.venv/local-installed: requirements-local.txt | $(BIN)/pip
	@echo "Installing what Limbo needs …"
	@$(INSTALL) -r requirements-local.txt
	@touch $@

.venv/dev-installed: requirements-dev.txt | $(BIN)/pip
	@echo "Installing what Limbo, its tests and its checks need …"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ .venv/local-installed

# The peers' environment, apart from Limbo's.
.venv-bench/installed: requirements-bench.txt | $(BIN)/pip
	@echo "Installing the peers …"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; PYTHON=… names another one than $(PYTHON)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "Making .venv …"
	@$(PYTHON) -m venv .venv

# With neither a browser nor a way to install one, the browser's tests say so.
browser:
	@if [ -z "$$CHROMIUM" ] && ! command -v chromium >/dev/null; then \
		echo "Installing Chromium for the browser's tests …"; \
		sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
		{ $$sudo apt-get update -qq && \
		  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
		echo "Chromium could not be installed"; \
	fi
