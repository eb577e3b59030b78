#!/bin/sh
# djade over every template: checks them (`make lint`), or with --write brings them into form (`make format`).
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
check=--check
[ "${1:-}" != --write ] || check=''
# shellcheck disable=SC2086  (one option or none)
find templates -name '*.html' -type f -print0 | xargs -0 -r .venv/bin/djade $check --target-version 5.2
