# Build outputs live outside of the clone, so that a fresh clone is warm.
CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/chlom
export CARGO_TARGET_DIR ?= $(CACHE)/target
export FOUNDRY_OUT ?= $(CACHE)/foundry/out
export FOUNDRY_CACHE_PATH ?= $(CACHE)/foundry/cache
# The system contracts are a forge project of their own.
export CONTRACTS_FOUNDRY ?= $(CACHE)/contracts
contracts contracts-check contracts-test slow: export FOUNDRY_OUT = $(CONTRACTS_FOUNDRY)/out
contracts contracts-check contracts-test slow: export FOUNDRY_CACHE_PATH = $(CONTRACTS_FOUNDRY)/cache
ARGS ?=

.PHONY: help demo dev build test unit contracts contracts-check contracts-test compat compat-suite lint slow bench bench-da bench-lane postgres chromium tools fmt
.NOTPARALLEL:
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

demo: ## Build, and tell the whole story (ARGS="--receipts FILE.csv --licenses FILE.json")
	cargo run --release --locked -p chlom -- demo $(ARGS)

dev: ## Build and run a chain on this machine (ARGS="--automine …")
	cargo run --release --locked -p chlom -- dev $(ARGS)

build: ## Build the binary with the profile that tests use
	cargo build --locked -p chlom

test: lint contracts-check contracts-test unit compat-suite ## Everything that a change must pass; installs what it needs

lint: ## Formatting and lints
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

unit: postgres ## Unit, property and integration tests
	cargo test --locked --workspace -- --skip _slow

contracts: ## Build the system contracts and write contracts/artifacts
	contracts/tools/install
	contracts/tools/forge build
	node contracts/tools/artifacts.mjs write

contracts-check: ## Are contracts/artifacts what the sources give?
	contracts/tools/check-artifacts

contracts-test: ## Unit, scenario and invariant tests of the system contracts (FOUNDRY_PROFILE=slow runs longer)
	contracts/tools/install
	contracts/tools/forge test

compat: build compat-suite ## forge, cast, viem, ethers and Chromium against a real chain

# The unit tests build the binary too: no second build of it in `make test`.
compat-suite: chromium
	CHLOM_BIN=$(CARGO_TARGET_DIR)/debug/chlom devnet/compat/run.sh

slow: postgres ## The long drills
	cargo test --locked --workspace -- _slow
	FOUNDRY_PROFILE=slow contracts/tools/forge test

bench: ## Measure, with geth and anvil where Go and npm are: tables, and JSON in the cache folder
	cargo bench --locked -p chlom-keccak --bench batch
	cargo bench --locked -p chlom-crypto --bench recovery
	cargo bench --locked -p chlom-state --bench rooting
	cargo bench --locked -p chlom --bench blocks -- --dir $(CACHE)/bench-blocks
	cargo build --release --locked -p chlom
	node devnet/bench/run.mjs --chlom $(CARGO_TARGET_DIR)/release/chlom --json $(CACHE)/bench.json

bench-da: ## Measure data availability beside c-kzg, and block times while cells are made: tables, and JSON in the cache folder
	cargo bench --locked -p chlom-crypto --bench kzg -- --json $(CACHE)/bench-da.json
	cargo bench --locked -p chlom-chain --bench gas
	cargo build --release --locked -p chlom
	node devnet/bench/pacing.mjs --chlom $(CARGO_TARGET_DIR)/release/chlom --json $(CACHE)/bench-pacing.json

bench-lane: postgres ## Measure lanes on one core, a watcher's check with its index, and an operator's processes: CSV to chain, HTTP, an idle watcher
	cargo bench --locked -p chlom-lane --bench lane
	cargo bench --locked -p chlom-watcher --bench watch
	cargo build --release --locked -p chlom
	node devnet/bench/lane.mjs --chlom $(CARGO_TARGET_DIR)/release/chlom --json $(CACHE)/bench-lane.json

chromium: ## Install Chromium from the distribution, if it is missing
	devnet/tools/chromium

postgres: ## Install PostgreSQL from the distribution, if it is missing
	devnet/tools/postgres

tools: ## Install forge, cast, viem and ethers from npm into devnet/compat
	devnet/compat/tools/install

fmt: ## Format
	cargo fmt --all
