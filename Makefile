# Each target sets up what it needs in this folder's own .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
# What a user may have set for their own work must not change what tests and benchmarks show.
CLEAN := env -u COSIM_RS_KERNEL -u COSIM_RS_NUM_THREADS -u RAYON_NUM_THREADS
MEASURE := $(CLEAN) -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python -m
QUIET := TF_CPP_MIN_LOG_LEVEL=2
NO_NEWS := -W ignore::DeprecationWarning

# The tests whose answers a kernel could change.
NUMERICAL := $(addprefix tests/test_,bits.py candidates.py catalogue.py catalogue_changes.py \
	catalogue_file_fuzz.py contract.py dtypes.py empty.py extremes.py floating_point_mode.py \
	layouts.py mine_pairs.py out.py range_search.py top_k.py top_k_candidates.py)

# $(1) runs pytest, $(2) are folders of tests and $(3) Keras' backends. A process each: what torch
# compiles with aborts where TensorFlow is loaded.
define test_frameworks
	for tests in $(2); do \
		$(CLEAN) $(QUIET) $(1) -q tests/$$tests || exit 1; \
	done
	for backend in $(3); do \
		$(CLEAN) $(QUIET) KERAS_BACKEND=$$backend $(1) -q tests/keras || exit 1; \
	done
endef

.DEFAULT_GOAL := help
.PHONY: help demo search see-also test test-rust test-python test-kernels test-backends test-versions fuzz \
	lint format bench bench-peers bench-company bench-layers bench-batch \
	bench-kernels wheel wheel-check clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build demo-deps ## Rank real digits, save a picture (digits.png), find near duplicates
	$(BIN)/python examples/digits.py --picture digits.png
	$(BIN)/python examples/nearest_digits.py

search: build search-deps ## Search Python's own documentation by meaning
	$(BIN)/python examples/search_docs.py

see-also: build batch-deps ## Link it to itself, by files and the command line
	$(BIN)/python examples/see_also.py

test: test-rust test-python ## Run all tests of the core and of the Python package

test-rust: ## Run the core's tests, without Python
	cargo test --quiet --no-default-features

test-python: build test-deps ## Run the Python tests, with the best kernel of this machine
	$(CLEAN) $(BIN)/python -m pytest

test-kernels: build test-deps ## Run the numerical tests with every lesser kernel of this machine
	for kernel in $$($(BIN)/python -c 'import cosim_rs; print(*cosim_rs.show_config("dicts")["kernels"][:-1])'); do \
		$(CLEAN) COSIM_RS_KERNEL=$$kernel $(BIN)/python -m pytest -q $(NUMERICAL) || exit 1; \
		$(CLEAN) COSIM_RS_KERNEL=$$kernel \
			cargo test --quiet --no-default-features --test rust gradients || exit 1; \
	done

test-backends: build test-deps backends-deps ## Test with torch and TensorFlow (6 GB to install)
	$(call test_frameworks,$(BIN)/python -m pytest,backends with_tensorflow with_torch,tensorflow torch)
	# Exporting from JAX takes TensorFlow, which `make test` does without.
	$(CLEAN) $(QUIET) KERAS_BACKEND=jax $(BIN)/python -m pytest -q tests/keras -k export

test-versions: wheel ## Test with the oldest supported frameworks (6 GB to install)
	$(MAKE) VENV=.venv-oldest oldest-deps
	.venv-oldest/bin/pip --quiet install --force-reinstall --no-deps dist/*.whl
	# They warn of the old names that they use of each other.
	$(call test_frameworks,.venv-oldest/bin/python $(NO_NEWS) -m pytest $(NO_NEWS),\
		with_jax backends with_tensorflow with_torch,jax tensorflow torch)

fuzz: build test-deps ## Try 100,000 wrong files of catalogues, and kill 100 processes that save
	$(CLEAN) FUZZ_CASES=100000 FUZZ_KILLS=100 $(BIN)/python -m pytest -q \
		tests/test_catalogue_file_fuzz.py

lint: build lint-deps ## Check formatting, lints and types
	cargo fmt --check
	cargo clippy --quiet --all-targets --no-default-features -- --deny warnings
	cargo clippy --quiet --lib -- --deny warnings
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/python -m mypy.stubtest cosim_rs --mypy-config-file pyproject.toml \
		--allowlist .ci/stubtest.txt --ignore-unused-allowlist

format: lint-deps ## Format everything
	cargo fmt
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: build bench-deps ## Measure side by side with other libraries, then the Keras layers and whole jobs, into docs/benchmarks/
	$(MEASURE) benches.peers
	$(MEASURE) benches.layers
	$(MEASURE) benches.batch

bench-peers: backends-deps ## Install the large peers as well: torch, what uses it, and TensorFlow (6 GB)
	$(PIP) install sentence-transformers

bench-company: build bench-deps ## Measure beside OpenBLAS and torch, with and without limits
	$(MEASURE) benches.company

bench-layers: build bench-deps ## Measure the Keras layers alone, with each backend that is installed
	$(MEASURE) benches.layers

bench-batch: build bench-deps ## Measure whole jobs on files alone, against pyarrow with NumPy
	$(MEASURE) benches.batch

bench-kernels: ## Measure the kernels by themselves
	cargo bench --no-default-features --bench kernels

wheel: $(VENV)/pip ## Build the wheel into dist/
	$(PIP) install 'maturin>=1.9,<2'
	rm -rf dist
	$(BIN)/maturin build --release --quiet --out dist

wheel-check: wheel ## Install the wheel beside NumPy alone, and use it
	rm -rf .wheel-check
	$(PYTHON) -m venv .wheel-check
	.wheel-check/bin/pip --quiet --disable-pip-version-check install dist/*.whl
	cd .wheel-check && bin/python -W error ../.ci/smoke.py

clean: ## Remove what was built
	rm -rf $(VENV) .venv-oldest .wheel-check dist target digits.png

# A recent pip, which knows dependency groups.
$(VENV)/pip:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	touch $@

.PHONY: build
build: $(VENV)/pip ## Build the package into .venv
	$(PIP) install 'maturin>=1.9,<2'
	. $(BIN)/activate && maturin develop --release --quiet

# Gigabytes, some of them: a download that breaks off is begun again.
%-deps: $(VENV)/pip
	for pause in 15 60 0; do \
		$(PIP) install --group $* && exit; \
		sleep $$pause; \
	done; exit 1
