# Two commands matter to a newcomer: make demo, make test. Each builds .venv from a lock file with hashes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: demo test check bench bench-engine docs lock es clean run-env dev-env

demo: run-env
	$(BIN)/hinomi demo $(DEMO_ARGS)

# Plugins by name: of those that come with packages pytest rewrites every module at each start of each process (3 s).
PLUGINS = --disable-plugin-autoload -p xdist.plugin -p pytest_timeout -p _hypothesis_pytestplugin

test: dev-env check
	$(BIN)/python -m pytest $(PLUGINS) -n auto --dist loadgroup $(TEST_ARGS)

check: dev-env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: dev-env
	$(BIN)/python -m benchmarks

# Beside rsigma (Rust) from its registry, locked; every figure of docs/performance.md on detection.
RSIGMA := $(HOME)/.cache/hinomi/rsigma
bench-engine: dev-env $(RSIGMA)/bin/rsigma
	$(BIN)/python -m benchmarks rival lines engine growth

$(RSIGMA)/bin/rsigma:
	cargo install rsigma --version 0.23.0 --locked --root $(RSIGMA)

docs: dev-env
	$(BIN)/mkdocs build --strict

es: dev-env
	$(BIN)/python -m ops.elastic run $(ES_ARGS)

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra build -q pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes -q --extra dev --extra build pyproject.toml -o requirements-dev.lock

# Bytecode once: where PYTHONDONTWRITEBYTECODE is set, every process would compile our modules anew.
COMPILED = $(BIN)/python -m compileall -q -j 0 hinomi collectors rules responders dashboards ops

run-env: $(VENV)/.run
dev-env: $(VENV)/.dev

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Hinomi needs Python 3.11 or newer; set PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	test -e $(VENV)/.dev || $(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	test -e $(VENV)/.dev || $(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	$(COMPILED)
	touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	$(COMPILED)
	touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache
