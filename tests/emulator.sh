#!/usr/bin/env bash
# Deploys template.yaml to an emulator of AWS on this machine (ministack) and tries it there: the APIs, the functions as
# processes behind Lambda's runtime API, queues, tables, schedules, and every call's signature and permission.
#
# What it cannot show: streams come whole; DynamoDB has no vector index (small corpora need none); resources cost no time;
# functions are built for this machine and unoptimised. tests/emulator/serve.py and prepare.py say what is told apart.
#
# Needs cargo, tests/requirements.txt on PATH, and in $EMULATOR_PYTHON tests/emulator/requirements.txt.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
emulator=${EMULATOR_PYTHON:-python3}
pids=()

finish() {
    local status=$?
    if [ "$status" -ne 0 ]; then
        printf '\n== The end of the functions'\'' log\n'
        python3 -c 'import boto3, sys
for event in boto3.client("logs").filter_log_events(logGroupName=sys.argv[1])["events"]:
    if not event["message"].startswith(("START ", "END ", "REPORT ")):
        print(event["message"].rstrip())' "/colloquy/$STACK" 2>/dev/null | tail -n 60 || true
        printf '\n== The end of the emulator'\''s log\n'
        tail -n 30 "$work/emulator.log" || true
    fi
    [ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

port=$(free_port)
model_port=$(free_port)
mkdir "$work/code" "$work/tmp"
export TMPDIR=$work/tmp PYTHONDONTWRITEBYTECODE=1 SAM_CLI_TELEMETRY=0 SAM_CLI_POLL_DELAY=1
export AWS_DEFAULT_REGION=eu-central-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
export AWS_ENDPOINT_URL=http://localhost:$port
export STACK=colloquy DOCUMENTS_KEY=only-for-this-run

cd "$root"
cargo build --workspace --bins --locked
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
for folder in functions/*/; do
    name=$(basename "$folder")
    mkdir "$work/code/$name"
    strip -o "$work/code/$name/bootstrap" "$target/debug/$name"
done
python3 tests/emulator/prepare.py template.yaml "$work/code" "$AWS_ENDPOINT_URL" >"$work/template.yaml"

AUTH=true GATEWAY_PORT=$port BIND_HOST=127.0.0.1 MINISTACK_REGION=$AWS_DEFAULT_REGION IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 \
    "$emulator" tests/emulator/serve.py >"$work/emulator.log" 2>&1 &
pids+=($!)
python3 tests/emulator/model.py "$model_port" &
pids+=($!)
for _ in $(seq 120); do
    kill -0 "${pids[0]}"
    curl -sf -o /dev/null "$AWS_ENDPOINT_URL/_ministack/health" && break
    sleep 0.5
done

python3 -c 'import boto3, os; boto3.client("ssm").put_parameter(
    Type="SecureString", Name="/colloquy/documents-api-key", Value=os.environ["DOCUMENTS_KEY"])'
cd "$work"
sam deploy --template "$work/template.yaml" --config-file "$root/samconfig.toml" --stack-name "$STACK" \
    --no-confirm-changeset --no-progressbar --parameter-overrides \
    DocumentsApiKeyParameter=/colloquy/documents-api-key \
    Embedder=openai EmbeddingModel=stand-in EmbeddingDimensions=8 EmbeddingSpace=stand_in_8 ChatModel=stand-in \
    "OpenAiBaseUrl=http://127.0.0.1:$model_port/v1" 'WarmSchedule="rate(1 minute)"' >"$work/deploy.log" ||
    { cat "$work/deploy.log"; exit 1; }
grep -c CREATE_COMPLETE "$work/deploy.log" | sed 's/$/ resources made/'
pytest -q -p no:cacheprovider "$root/tests/emulator/test_deployment.py"
