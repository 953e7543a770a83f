#!/bin/sh
# Prepares a fresh clone: virtual environment from the hashed lock, the servers that only the system
# can bring, and the web pages. Quick when there is nothing to do.
#
#   deploy/setup.sh          what `make up` needs
#   deploy/setup.sh tests    and what `make test` needs beside it
set -eu
cd "$(dirname "$0")/.."
log=.venv/setup.log

fail() {
    printf 'Cannot set up: %s\n' "$*" >&2
    exit 1
}

last_words() {
    grep -v -e '^WARNING' -e '^npm warn' "$log" | tail -n 1
}

# Run a long command in silence with a sign of life every five seconds; its output is in $log.
patiently() {
    what=$1
    shift
    printf '%s …\n' "$what"
    "$@" >"$log" 2>&1 </dev/null 9>&- & # without the lock, which a daemon that apt starts would keep
    child=$!
    trap 'kill "$child" 2>/dev/null; wait "$child"; exit 130' INT TERM HUP
    seconds=0
    while kill -0 "$child" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        [ $((seconds % 5)) -ne 0 ] || printf '  … %s s: %s\n' "$seconds" "$(last_words | cut -c 1-90)"
    done
    status=0
    wait "$child" || status=$?
    trap - INT TERM HUP
    return "$status"
}

# The same for what nothing goes on without.
surely() {
    if ! patiently "$@"; then
        tail -n 15 "$log" >&2
        fail "\"$1\" did not work (all of it: $log)"
    fi
}

may_use_apt() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null
}

apt_install() {
    # RUNLEVEL and the line after it: the packages may start a broker of the system's own, which nobody
    # asked for; ours has its own ports and data.
    surely "Asking apt for its lists" apt-get update
    surely "Installing $* with apt" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y --no-install-recommends "$@"
}

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        if [ -n "$candidate" ] && "$candidate" -c \
            'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

python_environment() {
    lock=requirements/dev.txt
    wanted="$(cat "$lock" pyproject.toml | cksum) in $PWD"
    installed=$(cat .venv/installed 2>/dev/null || echo "nothing in $PWD")
    if [ -x .venv/bin/millrace ] && [ "$installed" = "$wanted" ]; then
        return
    fi
    # An environment that was moved or copied here still runs the programs of the place it was made in.
    if [ ! -x .venv/bin/python ] || [ "${installed#* in }" != "$PWD" ]; then
        python=$(find_python)
        if [ -z "$python" ] && may_use_apt; then
            apt_install python3 python3-venv
            python=$(find_python)
        fi
        [ -n "$python" ] || fail "Python 3.11 or newer with venv is missing; install it or name it with PYTHON=…"
        "$python" -m venv --clear .venv
    fi
    surely "Installing $(grep -c '^[a-z0-9]' "$lock") Python packages into .venv (minutes the first time)" \
        .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r "$lock"
    surely "Installing Millrace" \
        .venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --editable .
    echo "$wanted" >.venv/installed
}

# The mongod inside the Python package needs a library that a small system may lack.
mongodb() {
    [ -z "${MILLRACE_MONGO_URL:-}" ] || return 0
    command -v mongod >/dev/null && return
    mongod=$(find .venv/lib -path '*/fiftyone/db/bin/mongod')
    [ -n "$mongod" ] || return 0
    chmod +x "$mongod"
    "$mongod" --version >/dev/null 2>&1 && return
    if may_use_apt; then
        apt_install libcurl4
    else
        echo "mongod does not run here: install libcurl4, or name a server with MILLRACE_MONGO_URL" >&2
    fi
}

rabbitmq() {
    [ -z "${MILLRACE_AMQP_URL:-}" ] || return 0
    PATH="$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin" command -v rabbitmq-server >/dev/null && return
    if may_use_apt; then
        apt_install rabbitmq-server
        if command -v systemctl >/dev/null; then
            systemctl disable --now rabbitmq-server >/dev/null 2>&1 || true
        fi
    else
        echo "RabbitMQ is missing: install rabbitmq-server, or name a broker with MILLRACE_AMQP_URL" >&2
    fi
}

chromium() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && return
    done
    if may_use_apt; then
        apt_install chromium
    else
        echo "Chromium is missing: the tests of the web pages need it" >&2
    fi
}

clamd() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin" command -v clamd >/dev/null && return
    if may_use_apt; then
        apt_install clamav-daemon
        # The tests bring a signature of their own; nobody asked for all the world's, nor for a scanner of the system's.
        if command -v systemctl >/dev/null; then
            systemctl disable --now clamav-daemon clamav-freshclam >/dev/null 2>&1 || true
        fi
    else
        echo "clamd is missing (Debian: clamav-daemon): the tests of virus scanning are skipped" >&2
    fi
}

web_pages() {
    [ -f gateway/web/package.json ] || return 0
    if ! command -v npm >/dev/null; then
        if ! may_use_apt; then
            echo "npm is missing: install Node.js 20 or newer" >"$log"
            return 1
        fi
        apt_install nodejs npm
    fi
    if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'; then
        echo "Node.js $(node --version) is too old: install 20.19 or newer" >"$log"
        return 1
    fi
    wanted=$(cksum <gateway/web/package-lock.json)
    if [ "$(cat gateway/web/node_modules/.installed 2>/dev/null)" != "$wanted" ]; then
        # A clean install insists on the packages for other systems, which a mirror need not have.
        patiently "Installing the packages of the web pages" npm --prefix gateway/web ci ||
            patiently "Installing those for this system alone" npm --prefix gateway/web install --no-save ||
            return 1
        echo "$wanted" >gateway/web/node_modules/.installed
    fi
    built=gateway/web/dist/index.html
    if [ ! -f "$built" ] || [ -n "$(find gateway/web \( -name node_modules -o -name dist \) -prune -o \
        -type f -newer "$built" -print | head -n 1)" ]; then
        patiently "Building the web pages" npm --prefix gateway/web run build || return 1
    fi
}

mkdir -p .venv
exec 9>.venv/setup.lock
if command -v flock >/dev/null && ! flock -n 9; then
    echo "Waiting for another set-up of this clone"
    flock 9
fi
python_environment
mongodb
rabbitmq
if ! web_pages; then
    tail -n 15 "$log" >&2
    [ "${1:-}" != tests ] || fail "the web pages cannot be built (all of it: $log)"
    echo "The web pages cannot be built (all of it: $log); the suite runs without them" >&2
fi
if [ "${1:-}" = tests ]; then
    chromium
    clamd
fi
