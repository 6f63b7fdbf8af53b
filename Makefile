# Two commands for a fresh clone with Python 3.11: `make demo` and `make test`.
# All else is run by weasel in the environment that they make: `.venv/bin/weasel run --help`.
PYTHON ?= python3.11
VENV ?= .venv
export PATH := $(abspath $(VENV))/bin:$(PATH)

.PHONY: demo test lint setup
.DELETE_ON_ERROR:

demo: $(VENV)/installed  ## Everything, end to end, with a simulated annotator
	weasel run all

# Tests wait for servers and browsers half of the time, so two at once take about two thirds of it.
test: lint  ## Everything is checked
	python -m pytest -n 2 --dist loadfile

lint: $(VENV)/installed-dev
	ruff check .
	ruff format --check .
	mypy

setup: $(VENV)/installed  ## The environment alone

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	python -m pip install --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt requirements-try.txt
	python -m pip install --disable-pip-version-check -r requirements-dev.txt
	touch $@
