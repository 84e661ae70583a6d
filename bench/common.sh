# What the scripts share; sourced with the repository's root as the working folder.
# shellcheck shell=bash disable=SC2034

profile=${PROFILE:-dist}
target=${CARGO_TARGET_DIR:-$(cargo metadata --no-deps --format-version 1 |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')}
case $profile in
dev) output=$target/debug ;;
*) output=$target/$profile ;;
esac
dancu=$output/dancu
bench=$output/dancu-bench
demo_pids=()
folders=()

# Builds the program and the tools with $profile.
build() {
    cargo build --profile "$profile" -p dancu -p dancu-bench >&2
}

# Prints a folder for data, removed at the end. It lies beside the build by default: a temporary
# folder is often in memory, where fdatasync costs nothing.
new_folder() {
    mktemp -d "${BENCH_DIR:-$target}/dancu-bench.XXXXXX"
}

# start_demo POPULATION PORT: sets demo_data and demo_pid once the demo is ready.
start_demo() {
    local folder
    folder=$(new_folder)
    folders+=("$folder")
    demo_data=$folder/data
    "$dancu" demo --data "$demo_data" --population "$1" --port "$2" \
        --clock 2026-03-02T09:00:00+07:00 >"$folder/demo.log" 2>&1 &
    demo_pid=$!
    demo_pids+=("$demo_pid")
    if ! "$bench" wait --port "$2" --seconds 1200 --pid "$demo_pid"; then
        tail -n 20 "$folder/demo.log" >&2
        return 1
    fi
}

# Ends every demo by SIGTERM and waits for it; says how it ended if it ended badly.
stop_demos() {
    local pid status
    for pid in ${demo_pids[@]+"${demo_pids[@]}"}; do
        kill -TERM "$pid" 2>/dev/null || true
        status=0
        wait "$pid" || status=$?
        if [[ $status -ne 0 ]]; then
            echo "the demo ended with $status"
        fi
    done
    demo_pids=()
}

clean_up() {
    stop_demos
    if [[ ${#folders[@]} -gt 0 ]]; then
        rm -rf "${folders[@]}"
    fi
}
trap clean_up EXIT
