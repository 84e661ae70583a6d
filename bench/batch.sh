#!/usr/bin/env bash
# A large batch, and what it does to callers who wait: latency of a verification at a fixed rate,
# in turns on a server that runs the batch and on one that runs none (the other one stands still
# meanwhile), then the batch alone to its end.
#
# From the environment: PROFILE (dist), POPULATION (100000), ROWS (1000000), RATE (500 a second),
# ROUNDS (4), SECONDS_EACH (8), PORT (18090), BUILD (yes), BENCH_DIR (where data folders are made).
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/common.sh

port=${PORT:-18090}
[[ ${BUILD:-yes} == no ]] || build
start_demo "${POPULATION:-100000}" "$port"
with_data=$demo_data with_pid=$demo_pid
start_demo "${POPULATION:-100000}" $((port + 1))
without_data=$demo_data without_pid=$demo_pid

latency() {
    "$bench" load --url "http://127.0.0.1:$1" --requests rest --demo-json "$2/demo.json" \
        --system BIG --connections 64 --rate "${RATE:-500}" --seconds "${SECONDS_EACH:-8}" |
        grep '^latency'
}

kill -STOP "$without_pid"
job=$(python3 bench/batch.py "$with_data/demo.json" submit "${ROWS:-1000000}")
for round in $(seq "${ROUNDS:-4}"); do
    echo "round $round, batch:    $(latency "$port" "$with_data")"
    kill -STOP "$with_pid" && kill -CONT "$without_pid"
    echo "round $round, no batch: $(latency $((port + 1)) "$without_data")"
    kill -STOP "$without_pid" && kill -CONT "$with_pid"
done
python3 bench/batch.py "$with_data/demo.json" wait "$job"
grep VmHWM "/proc/$with_pid/status"
kill -CONT "$without_pid"
stop_demos >&2
