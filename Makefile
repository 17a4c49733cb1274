# One verb each. Everything is installed into .venv on first use; nothing else is touched.
.PHONY: install demo serve test lint format bench bench-ui bench-consensus bench-learning bench-analytics screenshots clean
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Some containers forbid Python to keep what it compiled; each of the many processes that the tests
# start would then compile all it imports again, Streamlit and PyTorch with it.
unexport PYTHONDONTWRITEBYTECODE

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Tiebreak needs Python 3.11 or newer, found " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

demo: install
	$(BIN)/tiebreak demo $(if $(RESET),--reset) $(if $(SEED),--seed $(SEED)) $(if $(PORT),--port $(PORT))

serve: install
	$(BIN)/tiebreak serve $(if $(PORT),--port $(PORT))

# What there is to test without a browser, shared out so that both cores have work to the end.
LONG := $(wildcard tests/learning/test_*.py) tests/learning/suspicious tests/pages \
	$(filter-out %/consensus %/certificates %/demo %/__pycache__ %/__init__.py %/conftest.py,$(wildcard tests/services/*))
LATE := tests/bad_inputs

LINT := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

# Three lanes share the cores: threads of one library that wait for each other only take them away.
test: export OMP_NUM_THREADS := 1
test: export OPENBLAS_NUM_THREADS := 1
test: install
ifdef ARGS
	$(BIN)/python tests/chromium.py
	$(LINT)
	$(BIN)/python -m pytest $(ARGS)
else
	@# The browser's tests wait a lot, so they run beside the others and go first; what they say comes after.
	@mkdir -p build
	{ $(BIN)/python tests/chromium.py && $(BIN)/python -m pytest tests/browser; shown=$$?; \
		nice -n 5 $(BIN)/python -m pytest $(LATE) && test $$shown -eq 0; } > build/browser-tests.txt 2>&1 & browser=$$!; \
	nice -n 5 sh -c '$(LINT)' > build/lint.txt 2>&1 & lint=$$!; \
	nice -n 5 $(BIN)/python -m pytest $(LONG) > build/long-tests.txt 2>&1 & long=$$!; \
	nice -n 5 $(BIN)/python -m pytest --ignore=tests/browser $(addprefix --ignore=,$(LONG) $(LATE)); others=$$?; \
	wait $$long; worked=$$?; cat build/long-tests.txt; \
	wait $$browser; shown=$$?; cat build/browser-tests.txt; \
	wait $$lint; clean=$$?; cat build/lint.txt; \
	test $$others -eq 0 -a $$worked -eq 0 -a $$shown -eq 0 -a $$clean -eq 0
endif

lint: install
	$(LINT)

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install
	$(BIN)/python -m tests.bench

bench-ui: install
	$(BIN)/python tests/chromium.py
	$(BIN)/python -m tests.bench.ui $(ONLY)

bench-consensus: install
	$(BIN)/python -m tests.bench.consensus $(ONLY)

bench-learning: install
	$(BIN)/python -m tests.bench.learning $(ONLY)

bench-analytics: install
	$(BIN)/python -m tests.bench.analytics $(ONLY)

screenshots: install
	$(BIN)/python tests/chromium.py
	$(BIN)/python -m tests.screenshots $(FOLDER)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
