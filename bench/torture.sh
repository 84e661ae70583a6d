#!/usr/bin/env bash
# Three nodes on one PostgreSQL with a synchronous standby, under load over the edges of 07:00 and
# 18:00, ROUNDS (20) of SECONDS_EACH (60) seconds, while nodes are killed and the primary dies or is replaced
# by its standby: nothing may be admitted beyond a count, refused before it, counted twice or lost.
# Further arguments go to tests/clients/nodes/torture.py, such as --threads 24.
#
# From the environment: PROFILE (release: checks stay on), ROUNDS, SECONDS_EACH. Needs Python 3 with the
# packages of tests/clients/requirements.txt, and PostgreSQL 15 or newer under /usr/lib/postgresql.
set -euo pipefail
cd "$(dirname "$0")/.."
PROFILE=${PROFILE:-release}
source bench/common.sh

build
tests/clients/run setup
DANCU_BIN=$(realpath "$dancu") exec tests/clients/.venv/bin/python tests/clients/nodes/torture.py \
    --rounds "${ROUNDS:-20}" --seconds "${SECONDS_EACH:-60}" "$@"
