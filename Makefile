# `make help` lists the targets. Needs make, and Python 3.11 or newer; nothing else.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Kept out of the recipes' text, so that quotes and dollar signs inside ARGS reach the shell untouched.
export MLT_ARGS := $(value ARGS)

# A stamp's name is the checksum of what was installed: nothing is installed twice, whatever git
# does to the files' dates, and a changed requirement is installed by the next command.
KEY := $(firstword $(shell cat pyproject.toml constraints.txt | cksum))
RUNTIME := $(VENV)/installed-runtime-$(KEY)
TESTING := $(VENV)/installed-testing-$(KEY)
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1|/p' Makefile | awk -F'|' '{printf "%-14s%s\n", $$1, $$2}'

run: $(RUNTIME)  ## open the app, or run a sub-command: make run ARGS='text --to de "Good morning"'
	@eval "$(BIN)/mltranslate $$MLT_ARGS"

test: lint  ## install what the tests need and run all of them
	$(BIN)/python -m pytest

lint: $(TESTING)  ## formatting, lint, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(TESTING)  ## format the code and mend what the linter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TESTING)  ## list the benchmarks, or run one: make bench ARGS='bench/lid.py --help'
	@if [ -n "$$MLT_ARGS" ]; then eval "$(BIN)/python $$MLT_ARGS"; \
	else for script in bench/*.py; do printf '%-26s' "$$script"; sed -n '1s/"""//gp' "$$script"; done; fi

clean:  ## remove the environment, caches and builds; never runs/ or data/
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Messages of an installation go to stderr: stdout belongs to the program that `make run` starts.
$(RUNTIME): | $(BIN)/python
	@echo "Installing the runtime into $(VENV) (only the first time)" >&2
	@rm -f $(VENV)/installed-*
	@$(PIP) -e . >&2
	@touch $@

$(TESTING): | $(BIN)/python
	@echo "Installing everything the tests need into $(VENV) (only the first time)" >&2
	@rm -f $(VENV)/installed-*
	@$(PIP) -e '.[dev]' >&2
	@touch $(RUNTIME) $@

# Versions that the pinned wheels exist for come first, any newer Python is the last resort.
$(BIN)/python:
	@for newest in 14 99; do for candidate in $(CANDIDATES); do \
		if "$$candidate" -c "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $$newest))" 2>/dev/null; then \
			echo "Creating $(VENV) with $$("$$candidate" --version)" >&2; \
			exec "$$candidate" -m venv $(VENV); \
		fi; \
	done; done; \
	echo "No Python 3.11 or newer with the venv module among: $(CANDIDATES). Install one (Debian and Ubuntu: apt install python3-venv) or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python" >&2; \
	exit 1
