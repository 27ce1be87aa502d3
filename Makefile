# The whole interface: make run, make test, make lint, make bench.

PYTHON := .venv/bin/python
INSTALL := sh config/run/install.sh
# Enough for Django to load where no database is wanted
NO_SERVERS := DATABASE_URL=postgres:///none REDIS_URL=redis://none SECRET_KEY=lint

.DEFAULT_GOAL := help
.PHONY: help run test lint bench format words lock

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

run: .venv/run.stamp ## Everything, on PORT (8000), with its data in VAR_DIR (var/); Ctrl-C ends it
	@DEMO=$${DEMO-1} exec $(PYTHON) -m config.run

test: .venv/dev.stamp ## The whole suite; ARGS="tests/inbox -k send" for a part
	@$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/dev.stamp ## Format, lint, types, import borders, migrations
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(NO_SERVERS) $(PYTHON) -m mypy .
	$(PYTHON) .venv/bin/lint-imports --no-logo
	$(PYTHON) -m config.run.check_migrations

bench: .venv/dev.stamp ## The benchmarks, each next to its yardstick; ARGS="webhooks" for one
	@$(PYTHON) bench/run.py $(ARGS)

format: .venv/dev.stamp ## Format and mend what can be mended
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

words: .venv/dev.stamp ## The public pages' words in locale/, in step with the sources
	@$(NO_SERVERS) $(PYTHON) -m config.run.catalogues

lock: .venv/dev.stamp ## Locks made anew from pyproject.toml
	.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url pyproject.toml -o requirements.lock
	.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --group dev pyproject.toml \
		-c requirements.lock -o requirements-dev.lock

# A stamp is written last, so an interrupted installation is done again.
.venv/run.stamp: requirements.lock requirements-uv.lock config/run/install.sh .venv/bin/python
	@$(INSTALL) requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	@$(INSTALL) requirements-dev.lock
	@touch $@

# Missing, or the dangling link that an upgraded Python leaves: the installation makes it anew.
.venv/bin/python:
	@:
