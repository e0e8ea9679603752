.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m pipelines

.PHONY: help daily ingest backfill status export train preview promote plan audit test nightly check format lint demo demo-api lock clean

help: ## list these verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

daily: install exports ## serve every client's morning
	$(RUN) daily

ingest: install exports ## append new exports to lake
	$(RUN) ingest

backfill: install ## load CLIENT's history from SINCE
	$(RUN) backfill $(CLIENT) --since $(SINCE)

status: install ## say how each source stands
	$(RUN) status

export: install ## write CLIENT's TABLE as CSV
	$(RUN) export $(CLIENT) $(if $(TABLE),--table $(TABLE)) $(if $(SINCE),--since $(SINCE)) $(if $(UNTIL),--until $(UNTIL)) $(if $(TO),--to $(TO))

train: install ## train CLIENT's models that learn
	$(RUN) train $(CLIENT)

preview: install ## compare CLIENT's change with prod
	$(RUN) preview $(CLIENT)

promote: install ## bring CLIENT's change into prod
	$(RUN) promote $(CLIENT)

plan: install ## build all changes in dev
	$(BIN)/sqlmesh plan dev

audit: install ## audit all candidate tables
	$(BIN)/sqlmesh audit

test: install ## run the tests, without the slow
	$(BIN)/pytest -m "not slow"

nightly: install ## run all tests, the slow too
	$(BIN)/pytest

check: install ## format check, lint, tests
	$(BIN)/sqlmesh format --check
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/sqlmesh lint
	$(BIN)/pytest -m "not slow"

format: install ## format SQL and Python
	$(BIN)/sqlmesh format
	$(BIN)/ruff format

lint: install ## check the house's rules
	$(BIN)/sqlmesh lint
	$(BIN)/ruff check

demo: install ## write demo exports of DAY
	$(BIN)/python -m demo --day $(or $(DAY),0)

demo-api: install ## serve demo platforms, run against them
	$(BIN)/python -m demo.platforms

lock: ## pin requirements.in in requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements.in -o requirements.lock

clean: ## forget lake, warehouse and exports
	rm -rf lake warehouse/*.duckdb* warehouse/*.json exports .cache logs

.PHONY: install
install: .venv/installed

.venv/installed: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

exports:
	$(BIN)/python -m demo
