#!/bin/sh
# Fuzzes the pure machines with libFuzzer under AddressSanitizer, each target for SECONDS (default 60).
#
#   scripts/fuzz.sh [client|server|front]...
#
# Inputs that found something new are kept in .build-fuzz/corpus; one that crashes is named at the end of the run and
# stands in .build-fuzz/crashes. Add it to Fuzzing/Corpus when it is fixed: the tests replay what is there.
set -eu
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-60}
[ $# -gt 0 ] || set -- client server front
# Its own folder: everything is compiled with other flags.
build=.build-fuzz
swift build -c release --scratch-path "$build" --product WaldenFuzzing \
    -Xswiftc -sanitize=fuzzer,address -Xswiftc -parse-as-library
library=$build/release
mkdir -p "$build/crashes"
for target in "$@"; do
    name=$(printf %s "$target" | tr '[:lower:]' '[:upper:]')
    swiftc -O -sanitize=fuzzer,address -parse-as-library -D "FUZZ_$name" -I "$library/Modules" \
        -Xcc -fmodule-map-file=Sources/CCrypto/module.modulemap -Xcc -fmodule-map-file=Sources/CIDN/module.modulemap \
        Fuzzing/Entry.swift -L "$library" -lWaldenFuzzing -lswiftSynchronization -lcrypto -lidn -o "$build/fuzz-$target"
    mkdir -p "$build/corpus/$target"
    # Without this a crash hangs in Swift's own backtracer.
    SWIFT_BACKTRACE=enable=no "$build/fuzz-$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crashes/$target-" \
        "$build/corpus/$target" "Fuzzing/Corpus/$target"
done
