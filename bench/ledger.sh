#!/usr/bin/env bash
# The ledger alone beside a loop that only appends, on the same disk in the same run, in turn.
# Further arguments go to `dancu-bench ledger`, such as --min-ratio 0.70 --max-lag 2.
#
# From the environment: PROFILE (dist), BENCH_DIR (where the data folder is made: the build folder;
# its disk is the one that is measured).
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/common.sh

cargo build --profile "$profile" -p dancu-bench >&2
folder=$(new_folder)
folders+=("$folder")
"$bench" ledger --dir "$folder" "$@"
