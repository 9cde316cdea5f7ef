#!/bin/sh
# Makes the environment of the client suites in .build/client-suites, once for each list of pinned versions, and runs
# them: client-suites.sh [--suite NAME …] [--mode NAME …]
set -eu
cd "$(dirname "$0")/.."

suites=Tests/ClientSuites
folder=.build/client-suites
pins=$(cat "$suites/requirements.txt" "$suites/sources.txt")
if [ "$pins" != "$(cat "$folder/pins.txt" 2>/dev/null)" ]; then
    rm -rf "$folder/environment" "$folder/sources" "$folder/pins.txt"
    mkdir -p "$folder/downloads" "$folder/sources"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    pip="$folder/environment/bin/pip --quiet --disable-pip-version-check --no-input --retries 2 --timeout 30"
    # Only the packages themselves are taken as sources, so that what builds them is not built from sources in turn.
    names=$(sed -n 's/==.*//p' "$suites/sources.txt" | paste -sd,)
    if ! {
        python3 -m venv "$folder/environment" && $pip install -r "$suites/requirements.txt" &&
            $pip download --no-deps --no-binary "$names" --dest "$folder/downloads" -r "$suites/sources.txt"
    } >"$log" 2>&1; then
        echo "The environment of the client suites could not be made. It needs python3-venv, pg_config (libpq-dev)," \
            "and PyPI or a mirror that pip knows:" >&2
        tail -n 20 "$log" >&2
        exit 1
    fi
    for archive in "$folder"/downloads/*.tar.gz; do
        tar -xzf "$archive" -C "$folder/sources"
    done
    echo "$pins" >"$folder/pins.txt"
    rm -f "$log"
    trap - EXIT
fi
exec env PYTHONDONTWRITEBYTECODE=1 "$folder/environment/bin/python" "$suites/run.py" "$@"
