#!/bin/sh
# Makes the Python environment of the driver tests in .build/python-env, once for each list of pinned versions, and
# prints the path of its interpreter.
set -eu
cd "$(dirname "$0")/.."

requirements=Tests/IntegrationTests/Scripts/requirements.txt
folder=.build/python-env
stamp=$folder/requirements.txt
if ! cmp -s "$requirements" "$stamp"; then
    rm -rf "$folder"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check \
        --no-input --retries 2 --timeout 20 -r "$requirements"; } >"$log" 2>&1; then
        echo "The Python environment of the driver tests could not be made. It needs python3-venv, and PyPI or a mirror" \
            "that pip knows:" >&2
        tail -n 20 "$log" >&2
        exit 1
    fi
    cp "$requirements" "$stamp"
fi
echo "$PWD/$folder/bin/python"
