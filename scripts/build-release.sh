#!/bin/sh
# Builds for release, the one way that program, demo and benchmark share. Arguments go to `swift build`.
#
# Dynamic exclusivity checks are off, in the libraries too: on the data path everything belongs to one event loop, and
# the checks are a third of a hit's instructions (docs/adr/0008-exclusivity-checks.md). Debug builds and tests keep them.
set -eu
cd "$(dirname "$0")/.."
exec swift build -c release -Xswiftc -enforce-exclusivity=unchecked "$@"
