# `make demo` and `make test` do all their own set-up in .venv and touch nothing outside this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENGINE := $(BIN)/engine
DEMO := demo
READY := $(VENV)/ready

.PHONY: demo test lint clean

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 3; }
	@command -v $${CC:-gcc} > /dev/null || { echo "a C++ compiler is needed to build hnswlib: install gcc and g++"; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# From raw logs to profiles on MovieLens 100K; every line is a command that a user would type.
demo: $(READY)
	rm -rf $(DEMO)
	$(ENGINE) data fetch ml-100k --out $(DEMO)/raw
	$(ENGINE) data ingest --config $(DEMO)/raw/dataset.toml --out $(DEMO)/dataset
	$(ENGINE) export --encoder all-MiniLM-L6-v2 --calibrate $(DEMO)/dataset --out $(DEMO)/encoder
	$(ENGINE) train $(DEMO)/dataset --encoder $(DEMO)/encoder --out $(DEMO)/run --minutes 3.8
	$(ENGINE) export $(DEMO)/run --out $(DEMO)/bundle
	$(ENGINE) index $(DEMO)/bundle $(DEMO)/dataset --method hnsw --out $(DEMO)/index
	$(ENGINE) serve-batch --bundle $(DEMO)/bundle --index $(DEMO)/index --events $(DEMO)/dataset --out $(DEMO)/profiles
	for user in 13 405 655; do \
		$(ENGINE) recommend $$user --bundle $(DEMO)/bundle --index $(DEMO)/index --events $(DEMO)/dataset && echo || exit; \
	done
	$(ENGINE) evaluate $(DEMO)/run $(DEMO)/bundle $(DEMO)/dataset --index $(DEMO)/index

test: lint
	$(BIN)/python -m coverage erase
	$(BIN)/python -m pytest --cov --cov-report=
	@for package in runtime/engine_runtime models/engine_models export/engine_export; do \
		printf '%-24s' $$package; \
		$(BIN)/python -m coverage report --include="$$package/*" --format=total | sed 's/$$/ % of lines covered/'; \
	done
	@$(BIN)/python -m coverage report --include='runtime/*' --fail-under=90 > /dev/null || { echo "runtime: under 90 %"; exit 1; }

lint: $(READY)
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
