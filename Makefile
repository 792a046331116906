# `make demo` and `make test` do everything on a fresh machine with Python 3.11–3.13, make and a
# network: .venv, uv inside it, the locked packages with their hashes. A second run is quick.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The first interpreter that is new enough; choose another with PYTHON=….
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null && echo $$python && break; done)

export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

.PHONY: help demo up test soak check format lint types imports bench train evaluate docs lock sbom clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: $(READY) ## start everything, analyse the examples, stay up (DEMO_EXIT=1: stop then)
	@python -m deploy demo

up: $(READY) ## start gateway and services and restart what dies (PORT=9000 moves all ports)
	@python -m deploy up

test: $(READY) ## run the tests but the slow ones (ARGS='tests/contracts -x')
	python -m pytest -m "not slow and not soak" $(ARGS)

soak: $(READY) ## 110 minutes of load, kills and fuzzing; figures in runs/soak (ARGS='-k overload')
	OMP_NUM_THREADS=1 python -m pytest -m soak $(ARGS)

check: format lint types imports test ## everything that must hold before a commit

format: $(READY) ## is every file formatted
	ruff format --check .

lint: $(READY) ## ruff's rules
	ruff check .

types: $(READY) ## mypy, strict
	mypy

imports: $(READY) ## who may import whom
	lint-imports

train: $(READY) ## train one model (MODALITY=chest-xray DATA=folder INIT=backbone.pth ARGS=…)
	python -m training prepare $(MODALITY) --data "$(DATA)"
	python -m training train $(MODALITY) --manifest runs/manifests/$(MODALITY).csv \
	$(if $(INIT),--init "$(INIT)") $(ARGS)

bench: $(READY) ## measure beside others, 15 quiet minutes (DATA=folder; ARGS='--seconds 1': a trial)
	python -m bench $(if $(DATA),--data "$(DATA)") $(ARGS)

evaluate: $(READY) ## score labelled inputs (CHECKPOINT=models/…/v1.pth MANIFEST=rows.csv ARGS=…)
	python -m training evaluate --checkpoint "$(CHECKPOINT)" --manifest "$(MANIFEST)" $(ARGS)

docs: $(READY) ## write docs/settings.md and docs/fault-table.md again
	python -m deploy.settings_page > docs/settings.md
	python -m deploy.fault_table > docs/fault-table.md

RESOLVE := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url
lock: $(READY) ## resolve pyproject.toml again, for the environment and for each image
	$(RESOLVE) --extra dev --output-file requirements.lock $(ARGS)
	for image in gateway vision tabular training; do $(RESOLVE) --extra $$image --no-annotate \
	$$([ $$image = training ] || echo --extra otel) \
	--constraint requirements.lock --output-file requirements/$$image.lock || exit; done

# In an environment of its own, which uv keeps: the lock stays without it.
sbom: $(READY) ## write runs/sbom.json, the bill of materials of the lock (CycloneDX, with hashes)
	@mkdir -p runs
	PYTHONWARNINGS=ignore uv tool run --from 'cyclonedx-bom>=7,<8' cyclonedx-py requirements \
	--pyproject pyproject.toml --mc-type application --output-reproducible \
	--output-file runs/sbom.json requirements.lock

clean: ## remove the environment, caches and local state
	rm -rf $(VENV) .local .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv itself is in the lock; pip installs just that one, with its hash.
$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "MediFlow needs Python 3.11, 3.12 or 3.13 (PYTHON=/path/to/python)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.txt

$(READY): requirements.lock pyproject.toml | $(BIN)/uv
	uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	uv pip install --quiet --no-deps --no-build-isolation -C editable_mode=compat -e .
	@touch $@
