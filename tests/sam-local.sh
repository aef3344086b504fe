#!/usr/bin/env bash
# Runs every function in a container by `sam local invoke`, with its file in events/, against the tables, queues and steps of
# the template deployed to an emulator (see tests/emulator.sh).
#
# Where no Docker engine runs, one is started from Debian's docker.io, in a network and a mount namespace of its own and with
# a folder of its own; the base image is made from this machine's files, unless the real one is at hand. Where neither can
# be, it says so in one line and in $NOTES, and ends well. Containers cannot show streams: they come whole.
set -euo pipefail

image=public.ecr.aws/lambda/provided:al2023-x86_64
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

not_tried() { # why
    echo "sam local invoke was not tried: $1." | tee -a "${NOTES:-/dev/null}"
    exit 0
}

if [ "${1:-}" != inside ] && ! docker info >/dev/null 2>&1; then
    command -v dockerd >/dev/null || not_tried "there is no Docker engine, and dockerd is not installed"
    [ "$(id -u)" -eq 0 ] || not_tried "there is no Docker engine, and only root can start one"
    unshare --net --mount true 2>/dev/null || not_tried "there is no Docker engine, and this machine lets none be started"
    # What must be fetched is fetched before the network is left.
    (cd "$here/.." && cargo build --workspace --bins --tests --locked)
    exec unshare --net --mount "$here/sam-local.sh" inside
fi

source "$here/emulator/stack.sh"
# The key in events/ingest.json.
export STACK=colloquy DOCUMENTS_KEY="a key for documents"
engine=
made=

finish() {
    local status=$?
    [ "$status" -eq 0 ] || print_logs
    # With the image that SAM makes of it.
    [ -z "$made" ] || docker image rm -f "$image" "${image/al2023/al2023-rapid}" >/dev/null 2>&1 || true
    if [ -n "$engine" ]; then
        [ "$status" -eq 0 ] || tail -n 20 "$work/dockerd.log"
        kill "$engine" && wait "$engine" || true
        umount -R "$work/docker" 2>/dev/null || true
    fi
    clean_up
    exit "$status"
}
trap finish EXIT

start_engine() {
    local docker=$work/docker
    mkdir "$docker"
    busybox ip link set lo up
    export DOCKER_HOST=unix://$docker/sock
    dockerd --data-root "$docker/data" --exec-root "$docker/exec" --pidfile "$docker/pid" -H "$DOCKER_HOST" \
        --storage-driver "$1" --bip 172.17.0.1/16 >"$work/dockerd.log" 2>&1 &
    engine=$!
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 && return
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.5
    done
    kill "$engine" 2>/dev/null && wait "$engine" || true
    engine=
    umount -R "$docker" 2>/dev/null || true
    rm -rf "$docker"
    return 1
}

# What SAM's image and a function need: a shell and four commands, the C library and the certificates.
make_image() {
    local files=$work/image name
    mkdir -p "$files"/{bin,etc/pki/tls/certs,etc/ssl/certs,lib64,lib/x86_64-linux-gnu,opt,tmp,var/rapid,var/runtime,var/task}
    cp "$(command -v busybox)" "$files/bin/busybox"
    for name in sh mv chmod cp rm; do ln -s busybox "$files/bin/$name"; done
    cp -L /lib64/ld-linux-x86-64.so.2 "$files/lib64/"
    for name in libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1 libgcc_s.so.1 libresolv.so.2 libnss_dns.so.2 libnss_files.so.2; do
        cp -L "/lib/x86_64-linux-gnu/$name" "$files/lib/x86_64-linux-gnu/"
    done
    cp -L /etc/ssl/certs/ca-certificates.crt "$files/etc/ssl/certs/"
    cp -L /etc/ssl/certs/ca-certificates.crt "$files/etc/pki/tls/certs/ca-bundle.crt"
    echo 'root:x:0:0:root:/:/bin/sh' >"$files/etc/passwd"
    tar -C "$files" -c . | docker import --platform linux/amd64 --change 'WORKDIR /var/task' - "$image" >/dev/null
}

if [ "${1:-}" = inside ]; then
    start_engine overlay2 || start_engine vfs || { tail -n 5 "$work/dockerd.log"; not_tried "dockerd does not start here"; }
fi
if docker image inspect "$image" >/dev/null 2>&1; then
    echo "base image: the one at hand"
else
    make_image
    made=yes
    echo "base image: made from this machine's files"
fi
build_functions
gateway=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}')
start_emulator "$gateway" "$gateway"
start_model "$gateway"
deploy
cd "$work"
pytest -q -p no:cacheprovider "$root/tests/emulator/test_sam_local.py"
