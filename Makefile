# One word each; `make` alone lists them. Needs only make and Python >= 3.11 with venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help venv demo test style types imports check bench bench-compare format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## the virtual environment in .venv, renewed when pyproject.toml changes

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(f"livereduce needs Python 3.11 or newer; $(PYTHON) is {sys.version.split()[0]}; use: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -c 'import ensurepip, venv' || { echo '$(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## a simulated instrument with the daemon on it; Ctrl-C ends it
	$(BIN)/livereduce demo

test: $(STAMP) ## every test
	$(BIN)/python -m pytest

style: $(STAMP) ## lint, format and spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

imports: $(STAMP) ## the import contract: imports point down
	$(BIN)/lint-imports

check: style types imports test ## all of the above, what CI runs

bench: $(STAMP) ## how fast it is, beside peers; ONLY=pattern for some of it
	$(BIN)/python -m bench $(if $(ONLY),--only '$(ONLY)')

bench-compare: $(STAMP) ## OLD=results.json NEW=results.json: what got more than 10 % slower
	@$(BIN)/python -m bench.compare $(OLD) $(NEW)

format: $(STAMP) ## put the code in the form that style wants
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove what these words made
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find livereduce test scripts instruments -name __pycache__ -type d -prune -exec rm -rf {} +
