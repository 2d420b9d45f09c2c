# The targets are exactly what CI runs; `make help` lists them.

SHELL := /bin/bash
DATA_DIR ?= data
PORT ?= 7800

IMAGE ?= longshore:dev

.PHONY: help demo check test bench web image openapi commands failover-schedules clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## build everything and run the platform on SQLite with two simulated clusters (DATA_DIR, PORT)
	@tests/setup/say "demo: the first build takes about 8 minutes on 2 cores, later ones seconds"
	@$(MAKE) --no-print-directory web
	@tests/setup/say "building the program"
	@cargo build --profile demo --locked -p longshore
	@tests/setup/say "starting; Ctrl-C stops it, and the same DATA_DIR goes on where it was"
	@exec $${CARGO_TARGET_DIR:-target}/demo/longshore demo --data-dir "$(DATA_DIR)" --port $(PORT)

check: ## format, clippy with warnings denied, web lint and types, and the documents that must be fresh
	@tests/check

test: ## install what the tests need and run every test, real clusters and a real browser included
	@tests/run

bench: ## measure, in release builds: all, or BENCH="name …"; a line of JSON each
	@tests/setup/say "building for measurement (15 to 20 minutes on 2 cores from nothing)"
	@cargo build --release --locked -p longshore -p bench
	@tests/bench/run $(BENCH)

web: ## build the web portal into web/dist
	@tests/setup/web

image: ## pack the program as a container image, an OCI archive in target/ (IMAGE)
	@$(MAKE) --no-print-directory web
	@cargo build --release --locked -p longshore
	@deploy/image $(IMAGE) $${CARGO_TARGET_DIR:-target}/longshore-image.tar

openapi: ## write the OpenAPI documents and the web's types anew
	LONGSHORE_UPDATE_OPENAPI=1 cargo test -q -p ipaas -p cluster-mgr -p portal -- openapi document::
	cd web && npm run generate

commands: ## write the page of the program's commands anew
	LONGSHORE_UPDATE_COMMANDS=1 cargo test -q -p longshore --test longshore commands

failover-schedules: ## play 200 random schedules of trouble over five simulated clusters (LONGSHORE_SCHEDULES)
	LONGSHORE_SCHEDULES=$${LONGSHORE_SCHEDULES:-200} cargo test -q -p cluster-mgr --lib schedules -- --nocapture

clean: ## remove what the builds made
	cargo clean
	rm -rf web/dist web/node_modules tests/web/node_modules
