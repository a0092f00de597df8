# Every target first sees to .venv (tools/venv.sh); nothing needs to be activated.
#   make PYTHON=python3.11 ...   another Python than python3
#   make test ARGS="-k split"    options for pytest
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
# One thread per process: JOBS processes with a thread per core each would fight over the cores.
PYTEST := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest

.DEFAULT_GOAL := help
# Each target keeps the cores busy by itself, so `make -j` works through them in turn.
.NOTPARALLEL:
.PHONY: help run test compat course memory results bench curves gpu lab canary binder bundle offline book lock clean setup

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##/\1	/p' Makefile | expand -t 10

run: setup  ## fine-tune on the People's Daily (notebook 05) and print the test F1
	@$(BIN)/hanlp-tutor run 05 -p encoder mini-roberta-wwm-ext -p sentences 10000 -p epochs 2 -p lr 1e-3 -p eval_steps 400

test: setup  ## every check and every notebook
	@$(BIN)/python -m ruff check .
	@$(PYTEST) -n $(JOBS) --dist loadgroup --durations 40 $(ARGS)

compat: setup  ## HanLP's own fit, mended, also on transformers 4.57
	@$(BIN)/python -m pip install -q --no-deps --upgrade --target .venv/transformers-4.57 \
	    "transformers==4.57.*" "huggingface_hub<1" "tokenizers<0.23"
	@HANLP_TUTOR_OTHER_TRANSFORMERS=.venv/transformers-4.57 $(PYTEST) tests/hanlp_bridge/test_hanlp_compat.py $(ARGS)

course: setup  ## run all notebooks in the class profile
	@set -e; for notebook in notebooks/[0-9]*.ipynb; do \
	    echo "== $$notebook" >&2; $(BIN)/hanlp-tutor run "$$notebook" --profile class; done

results: setup  ## measure again what results/ holds; takes hours, goes on where it stopped
	@set -e; for script in experiments/[a-z]*.py; do [ -e "$$script" ] || continue; \
	    echo "== $$script" >&2; $(BIN)/python -m "experiments.$$(basename "$$script" .py)"; done

bench: setup  ## how fast it is beside its peers, measured on this machine (about a quarter of an hour)
	@OMP_NUM_THREADS=1 $(BIN)/hanlp-tutor bench --out results/speed.json

curves: setup  ## what each script of benchmarks/ measures: growth, threads, service, sweeps, devices; takes hours
	@set -e; for script in benchmarks/[a-z]*.py; do [ -e "$$script" ] || continue; \
	    echo "== $$script" >&2; $(BIN)/python -m "benchmarks.$$(basename "$$script" .py)"; done

gpu: setup  ## the tests for a GPU, then the bench on it; writes results/gpu.json
	@$(BIN)/python tools/gpu.py $(ARGS)

lab: setup  ## open the course in JupyterLab
	@$(BIN)/jupyter lab notebooks

memory: setup  ## each notebook in class under a limit of 2 GiB, as on Binder; LESSONS="01 05" for some, PROFILE=smoke
	@OMP_NUM_THREADS=1 $(BIN)/python tools/memory.py --profile $(or $(PROFILE),class) $(LESSONS) $(ARGS)

canary:  ## the kit under Colab's versions, in a fresh environment
	@PYTHON="$(PYTHON)" sh tools/canary.sh

binder:  ## what Binder's postBuild installs, in a fresh environment
	@PYTHON="$(PYTHON)" sh tools/binder.sh

bundle: setup  ## a folder (bundle/) that installs and runs lessons 00 to 05 without a network
	@$(BIN)/python tools/bundle.py bundle

offline: setup  ## build a bundle, cut the network, install it and run lessons 00 to 05 from it (Linux, ten minutes)
	@$(BIN)/python tools/offline.py $(LESSONS) $(ARGS)

book: setup  ## the course as static pages with index and search (book/), clicked through where there is Chromium
	@sh tools/book.sh

lock:  ## choose the exact versions anew (requirements.lock)
	@PYTHON="$(PYTHON)" sh tools/lock.sh

clean:  ## remove .venv and caches; runs/ stays
	rm -rf .venv .venv.log .pytest_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@PYTHON="$(PYTHON)" sh tools/venv.sh
