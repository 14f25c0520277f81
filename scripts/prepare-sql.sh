#!/bin/sh
# Regenerates .sqlx/, the committed answers PostgreSQL gave about every checked query, so that a build needs no database.
#
#   scripts/prepare-sql.sh                 everything; removes what no query uses any more
#   scripts/prepare-sql.sh -p CRATE ...    only these crates; removes nothing
#   scripts/prepare-sql.sh --check         everything, into a temporary folder, and compares: fails when .sqlx/ is out of date
#
# Needs a PostgreSQL server: STARGATE_TEST_POSTGRES (a URL whose role may create databases), else a private one is started
# from the newest /usr/lib/postgresql/*/bin and removed at the end.
set -eu
cd "$(dirname "$0")/.."

check= crates=
while [ $# -gt 0 ]; do
    case $1 in
        --check) check=yes ;;
        -p) crates="$crates -p $2"; shift ;;
        *) echo "usage: scripts/prepare-sql.sh [--check | -p CRATE ...]" >&2; exit 2 ;;
    esac
    shift
done

work=$(mktemp -d "${TMPDIR:-/tmp}/stargate-sql.XXXXXX")
started= created=
clean_up() {
    [ -z "$created" ] || psql "$server" -q -c "drop database if exists $created with (force)"
    [ -z "$started" ] || $as "$bin/pg_ctl" -D "$work/pg/data" -m immediate -s stop
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

if [ -z "${STARGATE_TEST_POSTGRES:-}" ]; then
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    [ -n "$bin" ] || { echo "no PostgreSQL found: install it (apt-get install postgresql) or set STARGATE_TEST_POSTGRES" >&2; exit 1; }
    # initdb and postgres refuse to run as root.
    as=
    if [ "$(id -u)" = 0 ]; then
        as="setpriv --reuid 65534 --regid 65534 --clear-groups"
        chmod 755 "$work"
        mkdir "$work/pg"
        chown 65534:65534 "$work/pg"
    else
        mkdir "$work/pg"
    fi
    $as "$bin/initdb" -D "$work/pg/data" -U postgres -A trust -E UTF8 --no-sync >/dev/null
    # The socket lies in our own folder, so no port can be in use.
    $as "$bin/pg_ctl" -D "$work/pg/data" -w -s -l "$work/pg/log" \
        -o "-c listen_addresses='' -c unix_socket_directories='$work/pg' -c fsync=off" start </dev/null >/dev/null
    started=yes
    server="postgres:///postgres?host=$work/pg&user=postgres"
else
    server=$STARGATE_TEST_POSTGRES
fi

database=stargate_prepare_$$
url=$(printf '%s' "$server" | sed -E "s#^(postgres(ql)?://[^/?]*)(/[^?]*)?#\1/$database#")
psql "$server" -q -v ON_ERROR_STOP=1 -c "create database $database"
created=$database
for migration in migrations/*.sql; do
    psql "$url" -q -v ON_ERROR_STOP=1 -f "$migration" >/dev/null
done

target=$PWD/.sqlx
if [ -n "$check" ]; then
    target=$work/sqlx
elif [ -z "$crates" ]; then
    rm -rf "$target"
fi
mkdir -p "$target"
# The macros write when they are expanded: every file that holds a query must be compiled again.
grep -rlE 'query(_as|_scalar)?!' --include='*.rs' common functions jobs cli tests | xargs touch
# shellcheck disable=SC2086
# CI builds everything else offline; here the database must be asked.
SQLX_OFFLINE=false DATABASE_URL=$url SQLX_OFFLINE_DIR=$target cargo check --quiet ${crates:---workspace} --all-targets

if [ -n "$check" ] && ! diff -rq .sqlx "$target"; then
    echo ".sqlx/ is out of date: run scripts/prepare-sql.sh and commit the result" >&2
    exit 1
fi
echo "$(ls "$target" | wc -l) queries described in $target"
