#!/bin/sh
# Installs from Debian what is missing for a purpose: `build` (the default: build, tests, demo) or `bench` (also the
# poolers that the benchmark compares with, and a C compiler). Says nothing and takes no time when all is there.
set -eu

purpose=${1:-build}
packages="make pkg-config libpq-dev libssl-dev libidn-dev liblz4-dev libpg-query-dev postgresql-15 python3-psycopg python3-venv"
case $purpose in
build) ;;
bench) packages="$packages gcc libc6-dev pgbouncer pgpool2" ;;
*)
    echo "usage: $0 [build|bench]" >&2
    exit 2
    ;;
esac

if ! command -v swift >/dev/null; then
    echo "Swift is missing: https://www.swift.org/install/linux/" >&2
    exit 1
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "Not a Debian system: these packages, or what holds the same, are needed: $packages" >&2
    exit 0
fi

missing=
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=absent
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "Not root and no sudo; please install:$missing" >&2
        exit 1
    }
    as_root=sudo
fi

echo "Installing:$missing"
# The packages would start servers of their own, with systemd or without. An existing policy is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod 755 $policy
    trap '$as_root rm -f $policy' EXIT
    trap 'exit 130' INT TERM
fi
log=$(mktemp)
if ! {
    $as_root apt-get update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
} >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 1
fi
rm -f "$log"
