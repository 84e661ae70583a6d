#!/usr/bin/env bash
# Fuzzes every target for SECONDS (60), or those named after it, and prints a table. It needs the
# nightly compiler and `cargo install cargo-fuzz --locked`. Nothing lands in the tree: builds,
# corpus, logs and the inputs of crashes stay under the build folder. Exit 1 where one crashed.
#
# From the environment: JOBS (1) targets at once, MAX_LEN (8192) bytes of an input,
# CARGO_TARGET_DIR (target/fuzz).
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift || true
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/fuzz}
# The engine's hooks define some names twice.
export ASAN_OPTIONS=detect_odr_violation=0
output=$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release
work=$CARGO_TARGET_DIR/runs
max_len=${MAX_LEN:-8192}
if [[ $# -gt 0 ]]; then targets=("$@"); else targets=($(ls fuzz/seeds)); fi

# fuzz TARGET: leaves its log, its corpus and the inputs that crashed in $work/TARGET.
fuzz() {
    local target=$1 folder=$work/$1 options=()
    rm -rf "$folder/crashes"
    mkdir -p "$folder/corpus" "$folder/crashes"
    if [[ -f fuzz/dictionaries/$target.dict ]]; then
        options+=("-dict=fuzz/dictionaries/$target.dict")
    fi
    nice -n 15 "$output/$target" "$folder/corpus" "fuzz/seeds/$target" "${options[@]}" \
        -max_total_time="$seconds" -max_len="$max_len" -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$folder/crashes/" >"$folder/log" 2>&1 || true
}

# row TARGET: its line of the table.
row() {
    local log=$work/$1/log crashes
    crashes=$(find "$work/$1/crashes" -type f | wc -l)
    awk -v target="$1" -v crashes="$crashes" '
        $1 == "stat::number_of_executed_units:" { units = $2 }
        $1 == "stat::average_exec_per_sec:" { rate = $2 }
        { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
        END { printf "| %s | %d | %d | %d | %d |\n", target, units, rate, edges, crashes }
    ' "$log"
    [[ $crashes -eq 0 ]]
}

cargo +nightly fuzz build --fuzz-dir fuzz >&2
for target in "${targets[@]}"; do
    while [[ $(jobs -rp | wc -l) -ge ${JOBS:-1} ]]; do
        wait -n
    done
    fuzz "$target" &
done
wait

echo "\`JOBS=${JOBS:-1} MAX_LEN=$max_len bench/fuzz.sh $seconds\`, commit $(git rev-parse --short HEAD)"
echo
echo "| target | executions | exec/s | coverage edges | crashes |"
echo "|---|--:|--:|--:|--:|"
status=0
for target in "${targets[@]}"; do
    row "$target" || status=1
done
exit "$status"
