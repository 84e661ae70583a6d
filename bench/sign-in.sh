#!/usr/bin/env bash
# What the busiest quarter of an hour does to callers who wait: latency of a verification at a fixed
# rate, in turns with and without people who sign in all the time, and how many of them sign in.
#
# From the environment: PROFILE (dist), POPULATION (100000), RATE (500 a second), ROUNDS (4),
# SECONDS_EACH (10), PORT (18095), BUILD (yes), BENCH_DIR (where the data folder is made).
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/common.sh

port=${PORT:-18095}
seconds=${SECONDS_EACH:-10}
[[ ${BUILD:-yes} == no ]] || build
start_demo "${POPULATION:-100000}" "$port"

latency() {
    "$bench" load --url "http://127.0.0.1:$port" --requests rest --demo-json "$demo_data/demo.json" \
        --system BIG --connections 64 --rate "${RATE:-500}" --seconds "$1" | grep '^latency'
}

for round in $(seq "${ROUNDS:-4}"); do
    echo "round $round, nobody signs in: $(latency "$seconds")"
    # Each code of an app is good once: the next half minute has another.
    sleep 31
    coproc python3 bench/sign_in.py "$demo_data/demo.json" $((seconds + 2))
    people=$COPROC_PID
    exec {said}<&"${COPROC[0]}"
    read -r -u "$said" _
    echo "round $round, beside sign-ins: $(latency "$seconds")"
    read -r -u "$said" line
    exec {said}<&-
    wait "$people"
    echo "round $round, $line"
done
stop_demos >&2
