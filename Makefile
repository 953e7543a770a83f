.DEFAULT_GOAL := help
.PHONY: help setup up down clean demo backup restore dead-letters test test-fast test-soak test-faults e2e lint fix docs web screenshots bench compose-check

# Each recipe is one command, so that make hands Ctrl-C and SIGTERM to it and not to a shell between.
BIN := .venv/bin
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install all that running and testing need: .venv, RabbitMQ, Chromium, clamd, the web pages
	@deploy/setup.sh tests

up: ## Start the whole suite and watch over it until Ctrl-C (MILLRACE_PORT, MILLRACE_HOME)
	@deploy/setup.sh
	@$(BIN)/millrace up

down: ## Stop the suite that runs in MILLRACE_HOME
	@[ ! -x $(BIN)/millrace ] || $(BIN)/millrace down

clean: ## Stop the suite and delete its data
	@[ ! -x $(BIN)/millrace ] || $(BIN)/millrace clean

demo: ## Fill the running suite with an example marketplace
	@$(BIN)/millrace demo

backup: ## Save databases and files into FILE (WAY=compose: of the suite in containers)
	@$(if $(FILE),,$(error say where to: make backup FILE=backup.tar))
ifeq ($(WAY),compose)
	@test ! -e "$(FILE)" || { echo "$(FILE) exists already" >&2; exit 1; }
	@umask 077 && $(COMPOSE) run --rm --no-deps -T chat millrace backup - >"$(FILE).unfinished"
	@mv "$(FILE).unfinished" "$(FILE)"
else
	@$(BIN)/millrace backup "$(FILE)"
endif

restore: ## Read FILE into a place that holds nothing, while no application runs (WAY=compose: into containers)
	@$(if $(FILE),,$(error say from where: make restore FILE=backup.tar))
ifeq ($(WAY),compose)
	@$(COMPOSE) run --rm --no-deps -T chat millrace restore - <"$(FILE)"
else
	@$(BIN)/millrace restore "$(FILE)"
endif

dead-letters: ## List the messages that no consumer could handle
	@$(BIN)/millrace dead-letters list

test: setup ## Run all tests, against real MongoDB, RabbitMQ and S3
	@$(BIN)/pytest --numprocesses 2 --dist loadfile
	@[ ! -f gateway/web/package.json ] || npm --prefix gateway/web test

test-fast: ## Run the tests that need no server
	@deploy/setup.sh
	@$(BIN)/pytest -m "not parts and not e2e"

e2e: setup ## Run the tests of the whole suite alone
	@$(BIN)/pytest -m e2e

test-soak: setup ## Run the long tests: random faults over thousands of events
	@$(BIN)/pytest -m soak

test-faults: setup ## Hurt the whole suite under load and check all of it (FAULTS_SEED, _SECONDS, _EVERY, _INSTANCES)
	@$(BIN)/pytest tests/faults/test_faults.py -m soak

lint: ## Check format, style, types, who may import whom, and that no secret is kept
	@deploy/setup.sh
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@deploy/scan-secrets.sh

fix: ## Format, and mend what can be mended by itself
	@$(BIN)/ruff check --fix --exit-zero
	@$(BIN)/ruff format

docs: ## Write the generated documents anew
	@$(BIN)/python docs/generate.py

web: ## Build the web pages
	@deploy/setup.sh

screenshots: setup ## Take the pictures of all pages for docs/images and the help, of a suite with the example
	@$(BIN)/python -m docs.screenshots

bench: ## Measure the suite beside its references; results go to docs/benchmarks (BENCH=--quick, --scale N, --growth)
	@$(BIN)/python -m tests.bench $(BENCH)

compose-check: ## Start the suite in containers and drive one order through it
	@deploy/compose-check.sh
