# Everything runs in .venv, which the first target that needs it creates from pinned versions.
#   make build DUCKDB=2.0.0      builds on another DuckDB
#   make build PYTHON=python3.13 creates the environment with another Python
PYTHON ?= python3
# vars of dbt for this build, as YAML: make build VARS='{feeds: {...}}'
VARS ?= {}
DUCKDB ?= $(shell sed -n 's/^duckdb==//p' constraints.txt)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready-$(notdir $(PYTHON))-duckdb-$(DUCKDB)
EV_WAREHOUSE ?= ev_charging.duckdb
PORT ?= 8080
TEST_WAREHOUSE := target/tests/warehouse.duckdb
# for make extracts, which without them takes all partners, the latest month and the folder releases
PARTNER ?=
PERIOD ?=
OUTPUT ?=
export EV_WAREHOUSE
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.DEFAULT_GOAL := help
.PHONY: help build test python-tests test-warehouse lint docs extracts seeds benchmark clean

help:  ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@echo "Creating $(VENV) with pinned packages (about a minute) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@sed 's/^duckdb==.*/duckdb==$(DUCKDB)/' constraints.txt > $(VENV)/constraints.txt
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet --constraint $(VENV)/constraints.txt --editable '.[dev]'
	@touch $@

build: $(READY)  ## Build and test the warehouse, draw the plots, generate the docs site, show a summary
	@$(BIN)/dbt build --vars '$(VARS)'
	@$(BIN)/python python_scripts/draw_plots.py
	@$(BIN)/dbt docs generate --quiet --vars '$(VARS)'
	@$(BIN)/python python_scripts/summarise_build.py

test: $(READY)  ## Run all tests: lint, unit tests, data tests, Python tests, the checks that build twice
	@$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target python-tests lint

# dbt keeps one core busy, so two processes share the test files, and one warehouse.
python-tests: test-warehouse
	@EV_TEST_WAREHOUSE=$(TEST_WAREHOUSE) $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder tests/python

test-warehouse: $(READY)
	@mkdir -p $(dir $(TEST_WAREHOUSE)) && rm -f $(TEST_WAREHOUSE)
	@EV_PSEUDONYM_KEY='a key that is for the tests alone' EV_WAREHOUSE=$(TEST_WAREHOUSE) \
	DBT_TARGET_PATH=target/tests DBT_LOG_PATH=target/tests $(BIN)/dbt --quiet build

lint: $(READY)  ## Check the style of Python and SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/sqlfluff lint --disable-progress-bar models tests analyses

docs: $(READY)  ## Serve the docs site of the last build on http://localhost:$(PORT)
	@$(BIN)/dbt docs serve --port $(PORT)

extracts: $(READY)  ## Write what partners receive; PARTNER=..., PERIOD=2025-06 and OUTPUT=... choose
	@$(BIN)/python python_scripts/export_extracts.py $(PARTNER:%=--partner %) $(PERIOD:%=--period %) $(if $(OUTPUT),--output '$(OUTPUT)')

seeds: $(READY)  ## Write the seeds again
	@$(BIN)/python python_scripts/generate_residential.py
	@$(BIN)/python python_scripts/generate_experiment.py
	@$(BIN)/python python_scripts/generate_network.py
	@$(BIN)/python python_scripts/simulate_fleet.py
	@$(BIN)/python python_scripts/generate_telematics.py

benchmark: $(READY)  ## Measure speed and memory; ONLY="build loads_csv" runs parts of it
	@$(BIN)/python python_scripts/run_benchmarks.py $(ONLY)

clean:  ## Remove everything that was built, also .venv
	rm -rf $(VENV) target logs plots ev_charging.duckdb ev_charging.duckdb.wal
