# Bilten's commands. `make` alone lists them.
PYTHON ?= python3
PORT ?=
ARGS ?=

# Where a machine's environment forbids bytecode, every process would spend its first three seconds compiling packages.
unexport PYTHONDONTWRITEBYTECODE

BOOTSTRAP = $(PYTHON) -I -S service/bootstrap.py

.PHONY: help up test e2e bench lint format docs reset lock

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

up: ## run everything on this machine: the API on http://127.0.0.1:3001 (PORT=3002 for another port)
	@$(BOOTSTRAP) local
	@exec .venv/bin/bilten dev --end-with-parent $(if $(PORT),--port $(PORT)) $(ARGS)

# Some of the tests cover some of the code, which is no failure: neither where ARGS name them, nor where a machine lacks
# what the others need. CI requires all of them.
COVERAGE = --cov --cov-branch --cov-report=term-missing:skip-covered --cov-report=html \
	$(if $(BILTEN_TEST_REQUIRE),--cov-fail-under=90)

test: ## run all tests, with a coverage report (ARGS="-k name" for some of them, without it)
	@$(BOOTSTRAP) dev
	@exec .venv/bin/pytest -n auto $(or $(ARGS),$(COVERAGE))

e2e: ## run both charts on a cluster: that of KUBECONFIG, else a kind cluster of its own
	@$(BOOTSTRAP) dev
	@exec .venv/bin/pytest -v --confcutdir=tests/e2e --durations=8 $(or $(ARGS),tests/e2e)

bench: ## measure speed and memory (ARGS="upload idle" for some rows, ARGS=--help for all of them)
	@$(BOOTSTRAP) dev
	@PYTHONPATH=tests exec .venv/bin/python -m bench $(ARGS)

lint: ## check style, types and layers
	@$(BOOTSTRAP) dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

format: ## bring the code into its style
	@$(BOOTSTRAP) dev
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

docs: ## write what is generated: docs/, the README's settings, manifests/, parts of charts/ and what they make
	@$(BOOTSTRAP) dev
	@PYTHONPATH=tests .venv/bin/python tests/contract/page.py
	@.venv/bin/python -m bilten_operator.generate
	@PYTHONPATH=tests .venv/bin/python -m support.charts

reset: ## empty the local database and object store
	@$(BOOTSTRAP) local
	@exec .venv/bin/bilten dev --reset

LOCK = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(ARGS)

lock: ## pin the dependencies of pyproject.toml (ARGS=--upgrade for newer versions)
	@$(BOOTSTRAP) dev
	$(LOCK) pyproject.toml --output-file service/locks/runtime.txt
	$(LOCK) pyproject.toml --extra local --output-file service/locks/local.txt
	$(LOCK) pyproject.toml --extra dev --group operator --output-file service/locks/dev.txt
	$(LOCK) --group operator --constraint service/locks/dev.txt --output-file operator/locks/operator.txt
	$(LOCK) --group development --constraint service/locks/dev.txt --output-file service/locks/development.txt
