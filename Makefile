# Every target does its own set-up; Python 3.11 or newer is all a machine needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOUND ?= examples/electric_piano_c4.wav
OUT ?= matches

.PHONY: help match test check reproduce-kosc format clean

help:
	@echo "make match   set up, match $(SOUND), write preset, audio and report to $(OUT)/"
	@echo "make test    set up, run the tests"
	@echo "make check   set up, run ruff, pyright and import-linter"
	@echo "make reproduce-kosc   set up, train and test the methods of Hayes et al. on k-osc, write table and figure"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "wav2patch needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	@touch $@ $(VENV)/.core

match: $(VENV)/.core
	$(BIN)/wav2patch match $(SOUND) --out $(OUT)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

reproduce-kosc: $(VENV)/.dev
	$(BIN)/python benchmarks/reproduce_kosc.py --out results/kosc

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis $(OUT)
