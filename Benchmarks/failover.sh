#!/bin/sh
# Builds for release and measures outages. Arguments go to the benchmark: `Benchmarks/failover.sh --runs 5 --only kill9`.
# Patroni takes part when `patroni`, `patronictl` and `etcd` are on the path, where the user of the servers can run them.
set -eu

cd "$(dirname "$0")/.."
scripts/build-release.sh --product walden
scripts/build-release.sh --product walden-bench
exec "$(swift build -c release --show-bin-path)/walden-bench" failover "$@"
