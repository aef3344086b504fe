#!/usr/bin/env bash
# Runs the functions behind `cargo lambda watch`, which streams for real, by the routes of Cargo.toml's metadata, with the tables
# and queues of the template deployed to an emulator (see tests/emulator.sh); and measures when a stream's events arrive.
#
# The functions are started here and not by cargo lambda, which would build each with features of its own.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/emulator/stack.sh"
export STACK=colloquy DOCUMENTS_KEY=only-for-this-run

finish() {
    local status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 20 "$work"/*.function.log "$work/watch.log" || true
        print_logs
    fi
    clean_up
    exit "$status"
}
trap finish EXIT

# What the deployed function has in its environment, with the steps led here.
variables() { # the template's name of it
    python3 - "$1" <<'END'
import boto3, os, sys
resource = boto3.client("cloudformation").describe_stack_resource(StackName=os.environ["STACK"], LogicalResourceId=sys.argv[1])
name = resource["StackResourceDetail"]["PhysicalResourceId"]
variables = boto3.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
for name in {"STEPS_URL", "PUBLIC_URL"} & variables.keys():
    variables[name] = os.environ["WATCH_URL"]
print("\0".join(f"{name}={value}" for name, value in variables.items()), end="\0")
END
}

build_functions
start_emulator 127.0.0.1 localhost
start_model 127.0.0.1
deploy

port=$(free_port)
export WATCH_URL=http://127.0.0.1:$port
(cd "$root" && exec cargo-lambda lambda watch --only-lambda-apis --invoke-address 127.0.0.1 --invoke-port "$port") \
    >"$work/watch.log" 2>&1 &
pids+=($!)
for folder in "$work"/code/*/; do
    name=$(basename "$folder")
    mapfile -d '' -t environment < <(variables "${name^}Function")
    env "${environment[@]}" AWS_REGION="$AWS_DEFAULT_REGION" AWS_LAMBDA_RUNTIME_API="http://127.0.0.1:$port/.rt/$name" \
        AWS_LAMBDA_FUNCTION_NAME="$name" AWS_LAMBDA_FUNCTION_VERSION=1 AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512 \
        "$folder/bootstrap" >"$work/$name.function.log" 2>&1 &
    pids+=($!)
done
for _ in $(seq 60); do
    curl -sf -m 2 -o /dev/null "$WATCH_URL/v1/health" && break
    sleep 0.5
done
pytest -q -s -p no:cacheprovider "$root/tests/emulator/test_watch.py"
