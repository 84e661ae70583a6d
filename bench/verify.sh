#!/usr/bin/env bash
# Governed verification beside an empty handler: builds, starts the demo on a folder of its own,
# measures, stops the demo. Further arguments go to `dancu-bench verify`.
#
# From the environment: PROFILE (dist), POPULATION (100000), PORT (18080), CITIZENS (a CSV with
# personalId, fullName, dateOfBirth), BENCH_DIR (where data folders are made: the build folder;
# its disk is the one that is measured).
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/common.sh

build
start_demo "${POPULATION:-100000}" "${PORT:-18080}"
arguments=(--demo-json "$demo_data/demo.json" --server-pid "$demo_pid" --profile "$profile")
if [[ -n ${CITIZENS:-} ]]; then
    arguments+=(--citizens "$CITIZENS")
fi
status=0
"$bench" verify "${arguments[@]}" "$@" || status=$?
stop_demos >&2
exit "$status"
