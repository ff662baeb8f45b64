# Osiris: `make run` shows it at work, `make test` proves it. `make help` lists the rest.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
PYTEST  := $(BIN)/pytest
# One more than there are processors, as many tests wait for hosts and daemons; each takes memory.
WORKERS := $(shell n=$$(nproc); [ "$$n" -lt 7 ] && echo $$((n + 1)) || echo 8)
SOURCES := appliance central osiris proto runtime tests

.DEFAULT_GOAL := help
.PHONY: help setup packages names compiled rootfs run test check fix sim bench fuzz proto lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

PIP     := $(BIN)/pip install --quiet --disable-pip-version-check
LOCKED  := $(PIP) --require-hashes --no-build-isolation --use-pep517

$(STAMP): requirements-build.lock requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked Python packages into $(VENV) (about a minute, once)"
	@$(PIP) --require-hashes -r requirements-build.lock
	@$(LOCKED) -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

packages: $(STAMP)
	@$(BIN)/python -m osiris.packages install clinic discovery

rootfs: packages
	@$(BIN)/python -m osiris.demo.rootfs --if-possible

names: $(STAMP)
	@$(BIN)/python -m osiris.gazetteer build

compiled: $(STAMP)
	@$(BIN)/python -m compileall -q $(SOURCES)

setup: $(STAMP) packages names compiled rootfs ## install everything: .venv from the lock, Debian packages, names, the demo's root file system

run: setup ## the demo: a hub, an appliance and a small clinic of real machines that it heals
	@$(BIN)/osiris demo

test: setup ## every test that this machine can run; names what it leaves out
	@$(BIN)/python -m osiris.packages install browser tpm softtpm
	@$(PYTEST) tests -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## format, lint, types, import contracts, dependencies, generated files, the house's own rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/deptry .
	@$(BIN)/python tests/tidy/generated.py
	@$(PYTEST) tests/tidy

fix: $(STAMP) ## format and mend what can be mended without a person
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

sim: $(STAMP) ## many seeds of the simulator
	@$(BIN)/python tests/sim/many.py

bench: setup ## measure what the documents claim
	@$(BIN)/python tests/bench/run.py

fuzz: $(STAMP) names ## long random attacks on parsers and verifiers
	@OSIRIS_FUZZ_EXAMPLES=4000 $(PYTEST) tests/fuzz
	@$(PIP) --no-deps --only-binary :all: --require-hashes -r tests/fuzz/atheris.lock
	@$(BIN)/python tests/fuzz/phi_coverage.py --seconds 300

proto: $(STAMP) ## regenerate the gRPC code and the reference pages
	@$(BIN)/python tests/tidy/generated.py --write

lock: $(STAMP) ## resolve the dependencies anew into requirements.lock
	@$(BIN)/uv pip compile --quiet pyproject.toml --all-extras --group dev --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate --output-file requirements.lock
	@printf 'names\npybabynames\nsurgeo\nsymspellpy\n' | $(BIN)/uv pip compile --quiet - --no-deps --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate --output-file requirements-gazetteer.lock
	@printf 'setuptools\nwheel\n' | $(BIN)/uv pip compile --quiet - --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate --output-file requirements-build.lock

clean: ## remove what make made, except the cached root file system
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .hypothesis
