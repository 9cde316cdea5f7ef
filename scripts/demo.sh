#!/bin/sh
# Builds Walden and its demo for release, says how long that took, and runs the demo: run, up or down.
set -eu
cd "$(dirname "$0")/.."

command=${1:-run}
if [ "$command" != down ] || [ ! -x .build/release/walden-demo ]; then
    started=$(date +%s)
    echo "Building for release …"
    log=$(mktemp)
    for product in walden walden-demo; do
        scripts/build-release.sh --product "$product" >"$log" 2>&1 || {
            cat "$log" >&2
            rm -f "$log"
            exit 1
        }
    done
    rm -f "$log"
    echo "Built in $(($(date +%s) - started)) s"
fi
exec .build/release/walden-demo "$command"
