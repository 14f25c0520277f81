#!/bin/sh
# Installs what StarGate needs and the machine lacks: PostgreSQL 15 or newer, a C compiler to link with. Says what it does.
# The system's own PostgreSQL cluster is neither made nor started nor used.
set -eu

say() { echo "stargate: $*" >&2; }

have_postgres() {
    [ -z "${PG_BIN:-}" ] || { [ -x "$PG_BIN/initdb" ]; return; }
    command -v initdb >/dev/null && return
    for bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
        if [ -x "$bin/initdb" ]; then return; fi
    done
    return 1
}

command -v cargo >/dev/null || {
    say "Rust is missing. Install it from https://rustup.rs, or with your distribution's rustup package, and run this again."
    exit 1
}

missing=
have_postgres || missing=postgresql
command -v cc >/dev/null || missing="$missing gcc"
[ -n "$missing" ] || exit 0

as=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "missing:$missing. Not root and no sudo: please install these, then run this again."; exit 1; }
    as=sudo
fi

if command -v apt-get >/dev/null; then
    say "missing: $missing. Installing with apt-get."
    # Without this Debian makes and starts a cluster on port 5432 that nobody asked for.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        $as mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" | $as tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    export DEBIAN_FRONTEND=noninteractive
    $as apt-get update -q
    # shellcheck disable=SC2086
    $as apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold \
        $(echo "$missing" | sed 's/gcc/gcc libc6-dev/') </dev/null
elif command -v dnf >/dev/null; then
    say "missing: $missing. Installing with dnf."
    # shellcheck disable=SC2086
    $as dnf install -y -q $(echo "$missing" | sed 's/postgresql/postgresql-server/') </dev/null
elif command -v brew >/dev/null; then
    say "missing: $missing. Installing with brew."
    brew install postgresql@17
else
    say "missing: $missing. No apt-get, dnf or brew here: please install these, then run this again."
    exit 1
fi
have_postgres || { say "PostgreSQL was installed but initdb is nowhere to be found: set PG_BIN to its folder"; exit 1; }
