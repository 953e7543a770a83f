#!/bin/sh
# Starts the suite of docker-compose.yml under a name and a port of its own, drives one order through it, and
# takes it all down again. Needs a Docker engine with Compose, and the images (or a way to pull them).
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'compose-check: %s\n' "$*" >&2
    exit 1
}

command -v docker >/dev/null || fail "docker is missing: install Docker Engine with the Compose plugin"
docker info >/dev/null 2>&1 || fail "no Docker engine answers; \`docker info\` tells why"
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null ||
    fail "Docker Compose is missing: install its plugin"
[ -x .venv/bin/millrace ] || deploy/setup.sh
exec .venv/bin/python -m tests.e2e.compose_check
