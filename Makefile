# The house's commands; what each means stands in README.md and CONTRIBUTING.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
ARGS ?=
CONFIG ?= config
SERVERS := mosquitto openssl prometheus prometheus-alertmanager
SYNAPSE := .servers/synapse
CARDS := .servers/adaptivecards
GRAFANA := .servers/grafana

.DEFAULT_GOAL := help
.PHONY: help servers packages demo run check test prove bench evaluate train schema dashboards lock audit clean

help: ## lists the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.runtime: requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

servers: packages $(SYNAPSE)/.ready $(CARDS)/.ready $(GRAFANA)/.ready ## installs the servers that the tests start: Debian packages, with sudo where needed, and Synapse

packages:
	@PATH="$$PATH:/usr/local/sbin:/usr/sbin:/sbin"; missing=; sudo=; \
	for one in $(SERVERS); do command -v $$one >/dev/null || missing="$$missing $$one"; done; \
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	$(PYTHON) -c "import ensurepip" 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -z "$$missing" ]; then echo "servers: here already: $(SERVERS) postgresql npm systemd-analyze"; exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "servers: no apt-get here; install by hand:$$missing"; exit 1; fi; \
	if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
	echo "servers: installs the Debian packages$$missing; the tests start their own, any service they bring may be stopped"; \
	$$sudo apt-get update -qq || echo "servers: apt-get update failed; goes on with the lists that are here"; \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends $$missing

$(SYNAPSE)/.ready: tests/fakes/synapse.lock
	$(PYTHON) -m venv $(SYNAPSE)
	$(SYNAPSE)/bin/python -m pip install --quiet --require-hashes -r tests/fakes/synapse.lock
	touch $@

$(CARDS)/.ready: $(wildcard tests/fakes/adaptivecards/*) | packages
	mkdir -p $(CARDS)
	cp tests/fakes/adaptivecards/* $(CARDS)/
	cd $(CARDS) && npm ci --silent --legacy-peer-deps --ignore-scripts --no-audit --no-fund
	touch $@

$(GRAFANA)/.ready: $(wildcard tests/fakes/grafana_types/*) | packages
	mkdir -p $(GRAFANA)
	cp tests/fakes/grafana_types/* $(GRAFANA)/
	cd $(GRAFANA) && npm ci --silent --legacy-peer-deps --ignore-scripts --no-audit --no-fund
	touch $@

demo: $(VENV)/.runtime ## plays the fall of Panjshir through the real pipeline; ARGS="--speed max --once"
	$(BIN)/python -m monitor demo $(ARGS)

run: $(VENV)/.runtime ## the daemon, with CONFIG=config
	$(BIN)/python -m monitor run --config $(CONFIG) $(ARGS)

check: $(VENV)/.dev ## format, lint, types, import contracts: under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/lint-imports

test: check ## check, then every test: under ten minutes
	$(BIN)/python -m pytest -n 2 -m "not bench and not prove" $(ARGS)

prove: $(VENV)/.dev ## the long figures and the faults
	$(BIN)/python -m pytest -s -m prove $(ARGS)

bench: export POLARS_MAX_THREADS = 1
bench: export OMP_NUM_THREADS = 1
# Sums are made in as many parts: the same bytes everywhere.
train: export OMP_NUM_THREADS = 2

bench: $(VENV)/.dev ## speed and memory, each figure beside its target
	$(BIN)/python -m pytest -s -m bench $(ARGS)

evaluate: $(VENV)/.dev ## figures on data outside the repository: DATA=DIR
	$(BIN)/python -m classifiers.evaluate $(DATA) $(ARGS)
	$(BIN)/python -m tests.recorded_events $(DATA)
	$(BIN)/python -m tests.stories $(DATA)
	$(BIN)/python -m tests.nab $(DATA)

train: $(VENV)/.dev ## trains the tagger from DATA=DIR and writes artifact and model card
	$(BIN)/python -m classifiers.train $(DATA) $(ARGS)

schema: $(VENV)/.runtime ## writes config/schema.json, the configuration's JSON Schema for editors
	$(BIN)/python -m monitor check --schema config/schema.json

dashboards: $(VENV)/.dev ## makes the Grafana dashboards' JSON
	$(BIN)/python deploy/grafana/build.py

lock: $(VENV)/.dev ## pins every dependency with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements-dev.lock

audit: $(VENV)/.dev ## asks a database of advisories about every pinned package; it is reached over the network
	@mkdir -p build && rm -f build/audit.json; \
	$(BIN)/pip-audit --vulnerability-service osv --require-hashes --disable-pip --progress-spinner off \
	  -r requirements.lock -r requirements-dev.lock --format json --output build/audit.json 2> build/audit.log; found=$$?; \
	if [ ! -s build/audit.json ]; then \
	  echo "audit: NOT DONE: the database of advisories did not answer (build/audit.log); nothing is known of the pinned packages" >&2; exit 2; fi; \
	if [ $$found = 0 ]; then echo "audit: done: no advisory about any pinned package"; \
	else echo "audit: done: advisories in build/audit.json" >&2; fi; exit $$found

clean: ## removes what the commands made
	rm -rf $(VENV) .servers build out .mypy_cache .ruff_cache .pytest_cache
