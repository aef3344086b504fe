# What tests/emulator.sh, tests/sam-local.sh and tests/watch.sh share: functions built for this machine, and the template deployed to an
# emulator of AWS (ministack). To be sourced; the caller has `set -euo pipefail` and calls `clean_up` when it ends.
#
# Needs cargo, tests/requirements.txt on PATH, and in $EMULATOR_PYTHON tests/emulator/requirements.txt.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
pids=()
mkdir "$work/tmp"
export TMPDIR=$work/tmp PYTHONDONTWRITEBYTECODE=1 SAM_CLI_TELEMETRY=0 SAM_CLI_POLL_DELAY=1
export AWS_DEFAULT_REGION=eu-central-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

clean_up() {
    [ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait
    rm -rf "$work"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The functions, each a `bootstrap` below $work/code; with the tests, so that `cargo test` and this build every crate alike.
build_functions() {
    local target folder name
    (cd "$root" && cargo build --workspace --bins --tests --locked)
    target=$(cd "$root" && cargo metadata --format-version 1 --no-deps --locked |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    for folder in "$root"/functions/*/; do
        name=$(basename "$folder")
        mkdir -p "$work/code/$name"
        strip -o "$work/code/$name/bootstrap" "$target/debug/$name"
    done
}

# A stand-in for the models, slow enough to be seen writing.
start_model() { # address
    model=http://$1:$(free_port)/v1
    python3 "$root/tests/emulator/model.py" "$1" "$(cut -d: -f3 <<<"$model" | cut -d/ -f1)" &
    pids+=($!)
}

# The emulator, at $AWS_ENDPOINT_URL; it checks signatures and permissions.
start_emulator() { # address, host name
    local port emulator
    port=$(free_port)
    export AWS_ENDPOINT_URL=http://$2:$port
    AUTH=true GATEWAY_PORT=$port BIND_HOST=$1 MINISTACK_HOST=$2 MINISTACK_REGION=$AWS_DEFAULT_REGION IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 \
        "${EMULATOR_PYTHON:-python3}" "$root/tests/emulator/serve.py" >"$work/emulator.log" 2>&1 &
    emulator=$!
    pids+=("$emulator")
    for _ in $(seq 120); do
        kill -0 "$emulator"
        curl -sf -o /dev/null "$AWS_ENDPOINT_URL/_ministack/health" && return
        sleep 0.5
    done
    return 1
}

# The whole template as the stack $STACK, with the key $DOCUMENTS_KEY for documents, and with more parameters or other values of
# them.
deploy() { # parameters…
    if [ ! -f "$work/packaged.yaml" ]; then
        python3 "$root/tests/emulator/prepare.py" "$root/template.yaml" "$work/code" "$AWS_ENDPOINT_URL" >"$work/template.yaml"
        (cd "$work" && sam package --template "$work/template.yaml" --config-file "$root/samconfig.toml" --resolve-s3 \
            --no-progressbar --output-template-file "$work/packaged.yaml" >"$work/package.log" 2>&1) || { cat "$work/package.log"; return 1; }
    fi
    python3 -c 'import boto3, os; boto3.client("ssm").put_parameter(
        Type="SecureString", Name="/colloquy/documents-api-key", Value=os.environ["DOCUMENTS_KEY"], Overwrite=True)
boto3.client("ssm").put_parameter(Type="String", Name="/colloquy/flags", Value="{\"steps\": \"sequential\"}", Overwrite=True)'
    (cd "$work" && sam deploy --template "$work/packaged.yaml" --config-file "$root/samconfig.toml" --stack-name "$STACK" \
        --no-confirm-changeset --no-progressbar --parameter-overrides \
        DocumentsApiKeyParameter=/colloquy/documents-api-key FlagsParameter=/colloquy/flags Monitoring=true 'LogLevel="info,runtime::observe=debug"' \
        Embedder=openai EmbeddingModel=stand-in EmbeddingDimensions=8 EmbeddingSpace=stand_in_8 ChatModel=stand-in \
        "OpenAiBaseUrl=$model" 'WarmSchedule="rate(1 minute)"' "$@" >"$work/deploy.log") ||
        { cat "$work/deploy.log"; return 1; }
    grep -cE "(CREATE|UPDATE)_COMPLETE" "$work/deploy.log" | sed 's/$/ resources made or changed/'
}

print_logs() {
    printf '\n== The end of the functions'\'' log\n'
    python3 -c 'import boto3, sys
for event in boto3.client("logs").filter_log_events(logGroupName=sys.argv[1])["events"]:
    if not event["message"].startswith(("START ", "END ", "REPORT ")):
        print(event["message"].rstrip())' "/colloquy/$STACK" 2>/dev/null | tail -n 60 || true
    printf '\n== The end of the emulator'\''s log\n'
    tail -n 30 "$work/emulator.log" 2>/dev/null || true
}
