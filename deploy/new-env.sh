#!/bin/sh
# Writes .env beside docker-compose.yml, with secrets of its own, for `docker compose up`; or the file that is
# named. Never overwrites one.
set -eu
file=${1:-$(dirname "$0")/../.env}

if [ -e "$file" ]; then
    echo "$file is there already; its secrets belong to the data in the volumes, so it is left alone" >&2
    exit 1
fi

# 32 hexadecimal characters for each 16 bytes: safe in an address, and no shell or YAML reads them otherwise.
secret() {
    head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

umask 077
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
cat >"$new" <<END
# Read by docker-compose.yml; made by deploy/new-env.sh. docs/operations.md tells what each is for and how
# to change it later. Keep a copy where your other secrets are.
MILLRACE_PORT=${MILLRACE_PORT:-8080}
MILLRACE_SERVICE_SECRET=$(secret 32)
MILLRACE_MONGO_ROOT_PASSWORD=$(secret 24)
MILLRACE_MONGO_PASSWORD=$(secret 24)
MILLRACE_AMQP_PASSWORD=$(secret 24)
MILLRACE_S3_ACCESS_KEY=$(secret 10)
MILLRACE_S3_SECRET_KEY=$(secret 20)
END
mv "$new" "$file"
echo "Wrote $file; now: docker compose up --detach --build"
