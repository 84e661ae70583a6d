#!/usr/bin/env bash
# CPU per query on a large registry beside a small one, both running, asked in turn.
# Further arguments go to `dancu-bench size`, such as --max-ratio 1.15.
#
# From the environment: PROFILE (dist), SMALL (100000), LARGE (5000000), PORT (18080; the large
# one takes the next), SMALL_CITIZENS and LARGE_CITIZENS (CSV with personalId, fullName,
# dateOfBirth: people from all over each registry), BENCH_DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/common.sh

port=${PORT:-18080}
build
start_demo "${SMALL:-100000}" "$port"
arguments=(--small "$demo_data/demo.json" --small-pid "$demo_pid")
start_demo "${LARGE:-5000000}" "$((port + 1))"
arguments+=(--large "$demo_data/demo.json" --large-pid "$demo_pid")
if [[ -n ${SMALL_CITIZENS:-} && -n ${LARGE_CITIZENS:-} ]]; then
    arguments+=(--small-citizens "$SMALL_CITIZENS" --large-citizens "$LARGE_CITIZENS")
fi
status=0
"$bench" size "${arguments[@]}" "$@" || status=$?
stop_demos >&2
exit "$status"
