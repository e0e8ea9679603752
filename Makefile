.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m pipelines
DATA := $(or $(ATTRIBUTION_HOME),.)
SQLMESH := $(BIN)/sqlmesh --log-file-dir "$(DATA)/logs"

.PHONY: help daily watch packages doctor ingest stream backfill accept reread withdraw erase status export explain changes replay blueprint train preview promote \
	rollback rebuild plan audit \
	test check soak ci style types lint versions format docs demo demo-api demo-stream demo-clean lock stubs clean install exports

help: ## list these verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

daily: exports ## serve every client's morning
	$(RUN) daily

watch: install ## alert of clients late, held, odd
	$(RUN) watch

doctor: install ## propose CLIENT's file from its exports
	$(RUN) doctor $(CLIENT) $(if $(FOLDER),--folder "$(FOLDER)") $(if $(WRITE),--write) $(if $(CURRENCY),--currency $(CURRENCY)) $(if $(ZONE),--zone $(ZONE))

ingest: exports ## append new exports to lake
	$(RUN) ingest

stream: install ## follow every CRM until stopped
	$(RUN) stream

backfill: install ## load CLIENT's history from SINCE
	$(RUN) backfill $(CLIENT) --since $(SINCE)

accept: install ## confirm what SOURCE's export deletes
	$(RUN) accept $(CLIENT) --source $(SOURCE)

reread: install ## read SOURCE of CLIENT again
	$(RUN) reread $(CLIENT) --source $(SOURCE)

withdraw: install ## take CLIENT's bad LOAD back
	$(RUN) withdraw $(CLIENT) --load $(LOAD)

erase: install ## erase PERSON of CLIENT, with CONFIRM=yes
	$(RUN) erase $(CLIENT) --person "$(PERSON)" $(if $(CONFIRM),--yes) $(if $(SHARED),--shared $(SHARED))

status: install ## show how each client stands
	$(RUN) status $(if $(ALL),--all)

export: install ## write CLIENT's TABLE as CSV
	$(RUN) export $(CLIENT) $(if $(TABLE),--table $(TABLE)) $(if $(SINCE),--since $(SINCE)) $(if $(UNTIL),--until $(UNTIL)) $(if $(TO),--to $(TO))

explain: install ## show what made CONVERSION's numbers
	$(RUN) explain $(CLIENT) --conversion "$(CONVERSION)"

changes: install ## tell why CLIENT's numbers moved SINCE
	$(RUN) changes $(CLIENT) --since $(SINCE) $(if $(BY),--$(BY))

replay: install ## show CLIENT's numbers as published AS_OF
	$(RUN) replay $(CLIENT) --as-of $(AS_OF) $(if $(BY),--$(BY)) $(if $(MODEL),--model $(MODEL)) $(if $(COMPUTED),--computed)

blueprint: install ## explain CLIENT's SQL variables
	$(RUN) blueprint $(CLIENT)

train: install ## train CLIENT's models that learn
	$(RUN) train $(CLIENT)

preview: install ## compare CLIENT's change with prod
	$(RUN) preview $(CLIENT) $(if $(BY),--$(BY))

promote: install ## bring CLIENT's change into prod
	$(RUN) promote $(CLIENT) $(if $(BY),--$(BY))

rollback: install ## take CLIENT's promotion back
	$(RUN) rollback $(CLIENT) $(if $(VERSION),--version $(VERSION))

rebuild: install ## make all of CLIENT from its lake
	$(RUN) rebuild $(CLIENT)

plan: install ## build all changes in dev
	$(SQLMESH) plan dev

audit: install ## audit all candidate tables
	$(SQLMESH) audit

test: install ## run the tests, without the slow
	$(BIN)/pytest -m "not slow"

check: style lint types ## format, lint, types, fast tests
	$(BIN)/pytest -m "not slow"

soak: install ## kill, spoil, fill: compare with twins
	$(BIN)/python -m tests.soak

ci: packages install ## the same, with all tests
	@$(MAKE) --no-print-directory --jobs=2 --output-sync types style lint
	$(BIN)/pytest

packages: ## install Debian packages for `make ci`
	@missing=$$(for name in $$(grep -v '^#' packages.txt); do dpkg -s $$name > /dev/null 2>&1 || echo $$name; done); \
	test -z "$$missing" || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y --no-install-recommends $$missing; } || \
	{ echo "make ci needs Debian's $$missing: as root, apt-get install $$missing"; exit 1; }

style: install ## check the formatting
	$(SQLMESH) format --check
	$(BIN)/ruff format --check

lint: install ## check the house's rules
	$(SQLMESH) lint
	$(BIN)/ruff check

types: install ## check the types
	$(BIN)/mypy

versions: install ## check the platforms' API versions
	$(BIN)/python -m linter.ending_versions

format: install ## format SQL and Python
	$(BIN)/python -m linter.columns
	$(SQLMESH) format
	$(BIN)/ruff format

docs: install ## write the pages' generated tables
	$(BIN)/python -m docs

demo: install ## write demo exports of DAY
	$(BIN)/python -m demo --day $(or $(DAY),0)

demo-api: install ## serve demo platforms, run against them
	$(BIN)/python -m demo.platforms

demo-stream: install ## close a deal, see its credit
	$(BIN)/python -m demo.closed_deal

demo-clean: install ## take the demo out
	$(BIN)/python -m demo.removal

lock: ## pin requirements.in in requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements.in -o requirements.lock

stubs: install ## write Salesforce's protocol in Python
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. pipelines/sources/events/eventbus.proto

clean: ## remove caches and logs
	rm -rf "$(DATA)/.cache" "$(DATA)/logs" .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path "./.venv/*" -prune -exec rm -rf {} +

# What is installed is compared by content, not by time: nothing is written where it is up to date, so
# a checkout that belongs to another user is left alone.
install:
	@cmp -s requirements.lock .venv/installed || $(MAKE) --no-print-directory .venv

.PHONY: .venv
.venv:
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('Python 3.11 is needed: make PYTHON=python3.11')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@cp requirements.lock .venv/installed

exports: install
	@test -d "$(DATA)/exports" || $(BIN)/python -m demo
