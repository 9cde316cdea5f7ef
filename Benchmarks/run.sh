#!/bin/sh
# Builds for release and measures. Arguments go to the benchmark: `Benchmarks/run.sh --quick --only prepared`.
set -eu

cd "$(dirname "$0")/.."
scripts/build-release.sh
exec "$(swift build -c release --show-bin-path)/walden-bench" "$@"
