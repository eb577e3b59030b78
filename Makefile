# Everything from a fresh clone: `make run`, `make test`. `make help` lists the rest.
# Paths are relative throughout, so that a folder with a space in its name is fine.

PORT ?= 8000
HOST ?= 127.0.0.1
# Test processes at once.
JOBS ?= 2
# A file's tests run in one process: what they share is made once. tests/conftest.py puts files with slow tests first.
SHARING := --dist loadfile --no-loadscope-reorder
# Tests keep their bytecode also where Python is told to keep none: making it takes each test process four seconds.
PYTEST := PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest
# COVERAGE=1 measures which lines the tests run. It costs about a third more time, so it is off but in CI. The report is
# named because a bare --cov would take the next word of ARGS for the folder to measure.
COVERAGE ?=
export PORT HOST

VENV := .venv/bin/python
SOURCES := wallpaper sessions_app imaging segmentation rendering jobs onnx_models tests benchmarks tools training manage.py

.DEFAULT_GOAL := help
.PHONY: help setup setup-packages setup-dev setup-weights run test lint types check browser-test format clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 22

setup: setup-packages setup-weights ## packages, weights, database, static files (run and test call it)
	@$(VENV) manage.py prepare >/dev/null

setup-packages:
	@sh tools/setup.sh runtime

setup-dev:
	@sh tools/setup.sh dev

setup-weights: setup-packages
	@$(VENV) -m onnx_models >/dev/null

run: setup-packages setup-weights ## serve on http://HOST:PORT (make run PORT=8123); Ctrl-C stops everything
	@exec $(VENV) -m wallpaper.launcher --with-parent

test: setup-dev setup-weights ## all tests but those in a browser (make test ARGS=tests/web; COVERAGE=1)
	@$(PYTEST) -n $(JOBS) $(SHARING) -m "not browser" $(if $(COVERAGE),--cov --cov-report=term) $(ARGS)

browser-test: setup-dev setup-weights ## the tests in headless Chromium (apt install chromium)
	@$(PYTEST) -m browser $(ARGS)

lint: setup-dev ## ruff, djade, prettier, import rules, missing migrations
	@$(VENV) -m ruff check $(SOURCES)
	@$(VENV) -m ruff format --check $(SOURCES)
	@sh tools/lint_templates.sh
	@sh tools/javascript.sh lint
	@.venv/bin/lint-imports
	@$(VENV) manage.py makemigrations --check --dry-run

types: setup-dev ## mypy, and TypeScript's compiler over the pages' JavaScript
	@$(VENV) -m mypy
	@sh tools/javascript.sh types

check: lint types test ## lint, types and test

format: setup-dev ## ruff, djade and prettier, in place
	@$(VENV) -m ruff check --fix $(SOURCES)
	@$(VENV) -m ruff format $(SOURCES)
	@sh tools/lint_templates.sh --write
	@sh tools/javascript.sh format

clean: ## remove .venv and caches (data in var/ stays)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
