#!/usr/bin/env bash
# The ledger and governed verification on PostgreSQL with 1 and 3 nodes, beside pgbench doing
# select, count and audit insert in one transaction: same cluster, same clients, same run.
#
# From the environment: PROFILE (dist), BENCH_DIR (where the cluster is made: the build folder),
# POPULATION (20000), CLIENTS (64), SECONDS_EACH (8), PORT (18480; nodes take this one and the next two).
set -euo pipefail
cd "$(dirname "$0")/.."
source bench/common.sh

clients=${CLIENTS:-64}
seconds=${SECONDS_EACH:-8}
port=${PORT:-18480}
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
nodes=()

# PostgreSQL refuses root: then its server runs as the account that its package made.
as_server() {
    if [[ $(id -u) -eq 0 ]]; then
        setpriv --reuid postgres --regid postgres --clear-groups env HOME="$cluster" "$@"
    else
        "$@"
    fi
}

start_cluster() {
    cluster=$(new_folder)
    folders+=("$cluster")
    # The socket's path must be short.
    socket=$(mktemp -d /tmp/dancu-pg.XXXXXX)
    folders+=("$socket")
    [[ $(id -u) -ne 0 ]] || chown postgres "$cluster" "$socket"
    # Folders above the cluster may be closed to the server's account: it works from its own.
    as_server "$bin/initdb" -D "$cluster/data" -U dancu -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
    as_server "$bin/pg_ctl" -s -w -D "$cluster/data" -l "$cluster/log" \
        -o "-c listen_addresses= -c unix_socket_directories=$socket -c max_connections=300 \
            -c shared_buffers=512MB -c max_wal_size=4GB" start
}

stop_cluster() {
    if [[ -n ${cluster:-} ]]; then
        as_server "$bin/pg_ctl" -s -m fast -D "$cluster/data" stop || true
    fi
}

stop_nodes() {
    local pid
    for pid in ${nodes[@]+"${nodes[@]}"}; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    nodes=()
}

trap 'stop_nodes; stop_cluster; clean_up' EXIT

url_of() { printf 'postgres://dancu@%s/%s' "${socket//\//%2F}" "$1"; }
sql() { "$bin/psql" -X -q -h "$socket" -U dancu -d "$1" -v ON_ERROR_STOP=1 "${@:2}"; }

# pgbench_tps FILE: transactions per second.
pgbench_tps() {
    "$bin/pgbench" -n -M prepared -h "$socket" -U dancu -c "$clients" -j 2 -T "$seconds" \
        -f "bench/postgresql/$1.sql" plain 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p'
}

# start_nodes N: as many nodes on the database `nodes`.
start_nodes() {
    local n
    for ((n = 0; n < $1; n++)); do
        mkdir -p "$work/$n"
        cp "$work/seed/master.key" "$work/$n/master.key"
        chmod 600 "$work/$n/master.key"
        printf 'listen = "127.0.0.1:%d"\ndata = "%s"\nsandbox = true\n[database]\nurl = "%s"\n' \
            $((port + n)) "$work/$n" "$(url_of nodes)" >"$work/$n.toml"
        "$dancu" serve --config "$work/$n.toml" >"$work/$n.log" 2>&1 &
        nodes+=("$!")
    done
    for ((n = 0; n < $1; n++)); do
        "$bench" wait --port $((port + n)) --seconds 60 --pid "${nodes[$n]}" ||
            { tail -n 20 "$work/$n.log" >&2 && return 1; }
    done
}

# verify_rate N: answers per second of N nodes together, the clients shared among them.
verify_rate() {
    local n load=()
    for ((n = 0; n < $1; n++)); do
        # Tokens are fetched from the node that is asked.
        sed "s#\"baseUrl\": *\"[^\"]*\"#\"baseUrl\":\"http://127.0.0.1:$((port + n))\"#" \
            "$work/seed/demo.json" >"$work/$n/demo.json"
        "$bench" load --url "http://127.0.0.1:$((port + n))" --requests rest \
            --demo-json "$work/$n/demo.json" --system BIG --connections $((clients / $1)) \
            --seconds "$seconds" --seed "$n" >"$work/load.$n" &
        load+=("$!")
    done
    for n in "${load[@]}"; do wait "$n"; done
    sed -n 's/^requests .*(\([0-9]*\)\/s)$/\1/p' "$work"/load.* | awk '{ sum += $1 } END { print sum }'
    rm -f "$work"/load.*
}

row() { printf '| %s | %s | %s | %s |\n' "$1" "$2" "$(ratio "$2" "$spread")" "$(ratio "$2" "$hot")"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'; }

build
start_cluster
work=$(new_folder)
folders+=("$work")
for database in plain ledger nodes; do sql postgres -c "CREATE DATABASE $database"; done
sql plain -f bench/postgresql/schema.sql
DANCU_DATABASE_URL=$(url_of nodes) "$dancu" demo --data "$work/seed" --port "$port" \
    --population "${POPULATION:-20000}" --clock 2026-03-02T09:00:00+07:00 --once >"$work/seed.log" 2>&1

spread=$(pgbench_tps spread)
hot=$(pgbench_tps hot)
ledger=$("$bench" ledger --dir "$work" --database "$(url_of ledger)" --tasks "$clients" \
    --seconds "$seconds" --rounds 1 | sed -n 's/^| [0-9]* | ledger | \([0-9]*\) .*/\1/p')
start_nodes 1
one=$(verify_rate 1)
stop_nodes
start_nodes 3
three=$(verify_rate 3)
stop_nodes

echo "| $clients clients, $seconds s each | per second | × pgbench spread | × pgbench hot |"
echo '|---|--:|--:|--:|'
row 'pgbench, 1,000 lines' "$spread"
row 'pgbench, one line' "$hot"
row 'ledger alone, one line' "$ledger"
row 'verify REST, 1 node, one line' "$one"
row 'verify REST, 3 nodes, one line' "$three"
