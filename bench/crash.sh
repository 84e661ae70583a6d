#!/usr/bin/env bash
# kill -9 under load, ROUNDS times (20) on one folder: nothing acknowledged may be lost.
# Further arguments go to `dancu-bench crash`, such as --seed 7.
#
# From the environment: PROFILE (release: checks stay on), ROUNDS, BENCH_DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
PROFILE=${PROFILE:-release}
source bench/common.sh

build
folder=$(new_folder)
folders+=("$folder")
status=0
"$bench" crash --binary "$dancu" --data "$folder/data" --rounds "${ROUNDS:-20}" "$@" || status=$?
if [[ $status -ne 0 && -f $folder/data.log ]]; then
    echo "The end of the program's output:" >&2
    tail -n 20 "$folder/data.log" >&2
fi
exit "$status"
