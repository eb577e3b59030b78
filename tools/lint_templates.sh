#!/bin/sh
# djade in its checking form over every template. Called by `make lint`.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
find templates -name '*.html' -type f -print0 | xargs -0 -r .venv/bin/djade --check --target-version 5.2
