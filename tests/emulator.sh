#!/usr/bin/env bash
# Deploys template.yaml to an emulator of AWS on this machine (ministack) and tries it there: the APIs, the functions as
# processes behind Lambda's runtime API, queues, tables, schedules, and every call's signature and permission.
#
# What it cannot show: streams come whole; DynamoDB has no vector index (small corpora need none); resources cost no time;
# functions are built for this machine and unoptimised. tests/emulator/serve.py and prepare.py say what is told apart.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/emulator/stack.sh"
export STACK=colloquy DOCUMENTS_KEY=only-for-this-run

finish() {
    local status=$?
    [ "$status" -eq 0 ] || print_logs
    clean_up
    exit "$status"
}
trap finish EXIT

build_functions
start_emulator 127.0.0.1 localhost
start_model 127.0.0.1
deploy AllowedOrigins=https://example.net
pytest -q -p no:cacheprovider "$root/tests/emulator/test_first_minutes.py" "$root/tests/emulator/test_transformed.py"
before=$(python3 "$root/tests/emulator/versions.py")
deploy AllowedOrigins=https://example.org,https://example.com MaxReplyTokens=500
TEMPLATE=$work/packaged.yaml VERSIONS_BEFORE=$before pytest -q -p no:cacheprovider "$root/tests/emulator/test_second_deployment.py" \
    "$root/tests/emulator/test_preflight.py" "$root/tests/emulator/test_deployment.py"
