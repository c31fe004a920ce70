# The project's tasks; people, tox and CI call the same ones.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed
FIRST_PAGE = /lab/tree/0.0.Setup-Environment.ipynb
LAB_SETTINGS = $(VENV)/share/jupyter/lab/settings
NO_NEWS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}, \
	"@jupyterlab/apputils-extension:themes": {"adaptive-theme": true}}
# JupyterLab does not start as root, who is the only user of many containers, unless it is told to.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: install run notebooks test lint types imports unit bench clean

## install: the environment in .venv
install: $(INSTALLED)

## run: the whole pipeline on this machine, on sample data; ARGS="--parameter RocAucThreshold=0.75" adds arguments
run: $(INSTALLED)
	@$(BIN)/run-pipeline --local $(ARGS)

## notebooks: the workshop, in JupyterLab on this machine; ARGS="--no-browser --port 8890" adds arguments
notebooks: $(INSTALLED)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[notebooks]'
	@mkdir -p $(LAB_SETTINGS) && echo '$(NO_NEWS)' > $(LAB_SETTINGS)/overrides.json
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jupyter lab notebooks --LabApp.default_url=$(FIRST_PAGE) $(AS_ROOT) $(ARGS)

## test: everything that CI checks
test: lint types imports unit

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

imports: $(INSTALLED)
	$(BIN)/lint-imports

unit: $(INSTALLED)
	$(BIN)/pytest -n auto --cov --cov-report=term-missing:skip-covered $(ARGS)

## bench: the speed of this project beside the bare work
bench: $(INSTALLED)
	$(BIN)/python -m benchmarks $(ARGS)

# Byte code is compiled once here, so that no job pays for it.
$(INSTALLED): pyproject.toml setup.py
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or later is needed: make PYTHON=python3.12"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --editable . --group dev
	$(BIN)/python -m compileall -q pipelines
	@touch $(INSTALLED)

clean:
	rm -rf $(VENV) .sagemaker-local .coverage build *.egg-info
