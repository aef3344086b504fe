#!/usr/bin/env bash
# Measures how long each function takes from the start of its process to its first answer, beside a Rust function that does
# nothing, and how large its zip is. Release profile, this machine's processor, Lambda's runtime interface emulator as
# aws-sam-cli brings it; tables and queues answer at once and hold nothing.
#
# Prints the rows of the README's table. Needs cargo and tests/requirements.txt on PATH; takes as long as the release build.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
cargo build --release --locked --workspace --exclude local --exclude tests --bins
cargo build --release --locked -p runtime --example hello
target=$(cargo metadata --format-version 1 --no-deps --locked | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
python3 tests/emulator/cold_start.py "$target/release" "${1:-10}"
