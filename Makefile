# What people run. Everything below needs Swift; the rest is installed by scripts/bootstrap.sh.
.DEFAULT_GOAL := help
.PHONY: help bootstrap python-env build release test fuzz soundness torture simulate failover-rows conformance client-suites mutants demo up down bench bench-failover failover-soak lint format clean

SOURCES := Package.swift Sources Tests Benchmarks/Driver

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap: ## Install what is missing from Debian (with sudo when not root)
	@scripts/bootstrap.sh

python-env: bootstrap ## Make the Python environment of the driver tests (from PyPI)
	@scripts/python-env.sh

build: bootstrap ## Build for debugging
	swift build

release: bootstrap ## Build the program for release
	scripts/build-release.sh --product walden

# Tests that start servers block their threads, of which Swift has one a processor: they get a run of their own, so that
# no time limit of the others passes meanwhile.
with_servers := IntegrationTests|WaldenTestKitTests
# Those of them that wait without blocking would wait for the blocked threads of the others.
unblocked := IntegrationTests\.(AgentTests|SentinelControlTests)
run_tests := swift test --skip-build --disable-xctest

test: bootstrap python-env ## Build and run all tests, on temporary PostgreSQL clusters
	swift build --build-tests
	@status=0; \
	$(run_tests) --skip '$(with_servers)' || status=1; \
	$(run_tests) --filter '$(with_servers)' --skip '$(unblocked)' || status=1; \
	$(run_tests) --filter '$(unblocked)' || status=1; \
	$(MAKE) --no-print-directory simulate || status=1; \
	exit $$status

# How long each of the three targets is fuzzed.
SECONDS ?= 60
fuzz: ## Fuzz the protocol machines under AddressSanitizer, SECONDS each
	SECONDS_EACH=$(SECONDS) scripts/fuzz.sh

# How many pairs of a query and a transaction; SEED and WORLD repeat a run, or one world of it.
CASES ?= 100000
soundness: bootstrap ## Look for stale results in random worlds; CASES=… SEED=…
	swift build --product walden-soundness
	@.build/debug/walden-soundness --cases $(CASES) $(if $(SEED),--seed $(SEED)) $(if $(WORLD),--world $(WORLD))

# How long `make torture` works, and the seed that repeats a run's choices: make torture SECONDS=600 SEED=7
SECONDS ?= 60
SEED ?=

torture: bootstrap ## Attack Walden with concurrent sessions and faults for SECONDS and judge every read
	@swift build --product walden
	@swift build --product walden-torture
	@.build/debug/walden-torture --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(TORTURE_FLAGS)

# The sentinel against simulated faults, RUNS seeds from SEED on; RUNS=1 TELL=--story tells what happened in one.
RUNS ?= 2000
simulate: bootstrap ## Run the sentinel against simulated faults and check its invariants; SEED=… RUNS=…
	scripts/build-release.sh --product walden-simulate
	@.build/release/walden-simulate --seed $(or $(SEED),1) --runs $(RUNS) $(TELL)

# TIMES repeats each; a row is a way in which a primary dies, and prints its outage and what was lost.
TIMES ?= 1
failover-rows: bootstrap ## Fail over real clusters in every way there is a row for; TIMES=…
	swift build --build-tests
	@for time in $$(seq $(TIMES)); do \
		WALDEN_FAILOVER_ROWS=all $(run_tests) --filter 'IntegrationTests\.Sentinel' || exit 1; \
	done

# ONLY=name or number of a case takes some of the scripts and scenarios, MODE=name one of the modes.
conformance: bootstrap ## Compare protocol scripts with PostgreSQL, byte by byte; ONLY=… MODE=…
	@swift build --product walden
	@swift build --product walden-conformance
	@.build/debug/walden-conformance $(if $(ONLY),--only '$(ONLY)') $(if $(MODE),--mode $(MODE))

# SUITE=name and MODE=relay or pooled take one of them, JOBS=n runs n at a time.
client-suites: ## Run the suites of real clients directly and through Walden, and compare; SUITE=… MODE=… JOBS=…
	@scripts/bootstrap.sh clients
	@swift build --product walden
	@scripts/client-suites.sh $(if $(SUITE),--suite $(SUITE)) $(if $(MODE),--mode $(MODE)) $(if $(JOBS),--jobs $(JOBS))

# ONLY=pattern takes some of them, SHARD=i/n every n-th.
mutants: bootstrap ## Take out rule after rule and expect the named test of each to fail
	@scripts/mutants.sh

demo: bootstrap ## Show Walden before a primary and two standbys, in under two minutes
	@scripts/demo.sh run

up: bootstrap ## Start the demo's cluster and leave it running
	@scripts/demo.sh up

down: ## End what `make up` started
	@scripts/demo.sh down

bench: ## Measure Walden beside PostgreSQL, PgBouncer and Pgpool-II
	@scripts/bootstrap.sh bench
	@Benchmarks/run.sh

# E.g. FLAGS='--runs 5 --only kill9 switchover'
bench-failover: bootstrap ## Measure the outage when a primary fails, beside Patroni; FLAGS=…
	@Benchmarks/failover.sh $(FLAGS)

# MINUTES of load on a cluster in which nothing fails; OVERLOAD=1 far more than the machine can do.
failover-soak: bootstrap ## Load a cluster in which nothing fails, and count failovers; MINUTES=… OVERLOAD=1
	scripts/build-release.sh --product walden
	scripts/build-release.sh --product walden-bench
	@.build/release/walden-bench soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(OVERLOAD),--overload)

lint: ## Check the formatting
	swift format lint --strict --parallel --recursive $(SOURCES)

format: ## Format all sources
	swift format --in-place --parallel --recursive $(SOURCES)

clean: ## Remove what was built
	@[ ! -e .build/demo-is-up ] || scripts/demo.sh down
	rm -rf .build bench.json
