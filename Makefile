# StarGate: `make up` shows a fleet, `make test` proves it. Both install what they need.

# Queries are checked against .sqlx/, whatever DATABASE_URL says.
export SQLX_OFFLINE = true
# `up` judges thousands of objects a minute: worth an optimised build. `make up PROFILE=dev` builds in half the time.
PROFILE ?= release
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help up dashboard test bench bench-verdicts check fix db tools

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

up: tools ## everything on one machine: database, functions, schedules, broker, API on http://localhost:8090
	@echo "Building; the first time takes a few minutes."
	cargo build --locked --profile $(PROFILE) -p stargate-cli
	exec target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/stargate up $(ARGS)

dashboard: ## the dashboard's files in dashboard/dist, which `make up` serves when they are there (needs Node.js)
	cd dashboard && npm ci --no-audit --no-fund && npm run build

test: tools ## every check and every test, as CI runs them
	.ci/run

bench: tools ## the figures of design budgets: requests, bytes, time, memory, writes, latency
	cargo bench --locked -p stargate-tests

bench-verdicts: ## precision and recall of the verdicts on tests/corpus; fails when a root cause is missed or invented
	cargo run --locked -q -p stargate-tests --bin verdicts -- $(ARGS)

check: ## formatting, lints, documentation, dependencies, .sqlx; no tests
	.ci/run check

fix: ## format, and apply what clippy can fix
	cargo fmt --all
	cargo clippy --locked --workspace --all-targets --fix --allow-dirty --allow-staged

db: tools ## write .sqlx/ anew after a change of a query or a migration
	scripts/prepare-sql.sh

tools:
	@scripts/install-tools.sh
