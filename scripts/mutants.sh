#!/bin/bash
# Takes the rules of exactness out one at a time (Tests/Mutants) and expects the test that is named for each to fail.
# Works on a copy of the tree with a build folder of its own, both in .build-mutants.
#
#   ONLY=pattern   only mutants whose name or row matches (extended regular expression)
#   SHARD=i/n      only every n-th, beginning with the i-th
#   IN_PLACE=1     on this tree and its .build, which is faster to begin with; the tree must be committed
#
# A test that is called `simulate` is the simulator of the sentinel, with as many seeds as `make simulate` takes.
#
# A mutant is killed when it builds and its tests fail. One that does not build, or whose text is not there exactly
# once, or for which no test runs, is invalid: it says nothing. Ends with a line of figures; exit code 1 unless all were
# killed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
IFS=/ read -r shard shards <<<"${SHARD:-1/1}"

if [ -n "${IN_PLACE:-}" ]; then
    git diff --quiet HEAD || { echo "mutants: IN_PLACE needs a committed tree" >&2; exit 64; }
    tree=$root build=$root/.build
else
    tree=$root/.build-mutants/tree build=$root/.build-mutants/build
    rm -rf "$tree"
    mkdir -p "$tree" "$build"
    tar -cf - --exclude=./.build --exclude=./.build-mutants --exclude=./.git . | tar -xf - -C "$tree"
    # What was fetched already need not be fetched again.
    for part in repositories checkouts workspace-state.json; do
        [ -e "$build/$part" ] || [ ! -e "$root/.build/$part" ] || cp -a "$root/.build/$part" "$build/"
    done
fi
cd "$tree"
log=$(mktemp)
edited=
restore() {
    for file in $edited; do cp -p "$log.$(basename "$file")" "$file"; touch "$file"; done
    edited=
}
trap 'restore; rm -f "$log" "$log".*' EXIT

build_for() {
    if [ "$1" = simulate ]; then
        swift build --scratch-path "$build" -c release --product walden-simulate >"$log" 2>&1
    else
        swift build --scratch-path "$build" --build-tests >"$log" 2>&1
    fi
}
run_tests() {
    if [ "$2" = simulate ]; then
        timeout "${1}" "$build/release/walden-simulate" >"$log" 2>&1
        return
    fi
    timeout "${1}" swift test --scratch-path "$build" --skip-build --disable-xctest --filter "$2" >"$log" 2>&1
}

# One line for each mutant: name, row, test, edits (file, find and put in turns), parted by the unit separator. A `file:` holds
# until the next one.
list() {
    perl -e '
        use strict; my %m; my @edits; my $us = "\x1f";
        sub out {
            print join($us, @m{qw(name row test)}, @edits), "\n" if %m;
            %m = (); @edits = ();
        }
        for my $path (@ARGV) {
            open(my $in, "<", $path) or die "$path: $!";
            while (<$in>) {
                chomp; next if /^#/ || /^\s*$/;
                if (/^\[(.*)\]$/) { out(); $m{name} = $1 }
                elsif (/^find: ?(.*)$/) { push @edits, $m{file}, $1 }
                elsif (/^put: ?(.*)$/) { push @edits, $1 }
                elsif (/^(row|file|test): (.*)$/) { $m{$1} = $2 }
                else { die "$path: $_" }
            }
            out();
        }' "$root"/Tests/Mutants/*.txt
}

apply() {
    while [ $# -gt 0 ]; do
        edit "$1" "$2" "${3-}" || return
        shift $(($# > 2 ? 3 : $#))
    done
}

edit() {
    local file=$1
    [ -f "$file" ] || { echo "no file $file" >&2; return 3; }
    case " $edited " in
    *" $file "*) ;;
    *)
        cp -p "$file" "$log.$(basename "$file")"
        edited="$edited $file"
        ;;
    esac
    perl -0777 -i -e '
        my ($file, $find, $put) = @ARGV; @ARGV = ($file); my $text = <>;
        s/\\n/\n/g for $find, $put;
        my $count = () = $text =~ /\Q$find\E/g;
        if ($count != 1) { print $text; print STDERR "$count times: $find\n"; exit 3 }
        $text =~ s/\Q$find\E/$put/;
        print $text' "$file" "$2" "$3"
}

mapfile -t all < <(list)
chosen=()
number=0
for line in "${all[@]}"; do
    IFS=$'\x1f' read -r name row _ <<<"$line"
    [[ "$name $row" =~ ${ONLY:-.} ]] || continue
    number=$((number + 1))
    [ $(((number - shard) % shards)) = 0 ] && chosen+=("$line")
done
[ ${#chosen[@]} -gt 0 ] || { echo "mutants: none is chosen" >&2; exit 64; }

echo "building without any mutation"
tests=$(for line in "${chosen[@]}"; do IFS=$'\x1f' read -r _ _ test _ <<<"$line"; echo "$test"; done | sort -u)
if grep -qx simulate <<<"$tests"; then
    build_for simulate || { tail -30 "$log"; exit 1; }
    run_tests 1800 simulate || { tail -20 "$log"; echo "mutants: the simulator fails without any mutation"; exit 1; }
fi
filters=$(grep -vx simulate <<<"$tests" | paste -sd '|') || true
if [ -n "$filters" ]; then build_for tests || { tail -30 "$log"; exit 1; }; fi
[ -z "$filters" ] || run_tests 1800 "$filters" || { grep -E '✘|error:' "$log" | head -20; echo "mutants: the tests fail without any mutation"; exit 1; }

killed=0 survived=0 invalid=0
for line in "${chosen[@]}"; do
    IFS=$'\x1f' read -r -a parts <<<"$line"
    name=${parts[0]} test=${parts[2]}
    started=$(date +%s)
    if ! apply "${parts[@]:3}" 2>"$log"; then
        verdict="INVALID: $(head -1 "$log")"
        invalid=$((invalid + 1))
    elif ! build_for "$test"; then
        verdict="INVALID, does not build: $(grep -m1 'error:' "$log" || tail -1 "$log")"
        invalid=$((invalid + 1))
    elif run_tests 600 "$test"; then
        if ! grep -qE 'Test run with [1-9]|^simulation: runs=[1-9]' "$log"; then
            verdict="INVALID: no test is called $test"
            invalid=$((invalid + 1))
        else
            verdict="SURVIVED: $test passes, row: ${parts[1]}"
            survived=$((survived + 1))
        fi
    else
        verdict="killed by $test"
        killed=$((killed + 1))
    fi
    restore
    printf '%-34s %s (%s s)\n' "$name" "$verdict" $(($(date +%s) - started))
done
echo "mutants: total=${#chosen[@]} killed=$killed survived=$survived invalid=$invalid"
[ $survived = 0 ] && [ $invalid = 0 ]
