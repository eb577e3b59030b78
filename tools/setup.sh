#!/bin/sh
# Makes .venv and keeps it in step with the pinned requirements. Called by the Makefile: sh tools/setup.sh runtime|dev
#
# Quick when nothing has changed: a stamp inside .venv holds the folder it was made for and a checksum of the
# requirements. A .venv that was left half-made, was moved, or whose Python is gone is made anew.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."

want=${1:-runtime}
here=$(pwd -P)
venv_python=.venv/bin/python
unfinished=.venv/unfinished-setup
log_folder=${WALLPAPER_HOME:-var}/log

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# What a finished .venv for these requirements says in its stamp.
expected_stamp() {
    printf '%s\n' "$here"
    if [ "$1" = dev ]; then
        cat requirements.txt requirements-dev.txt | cksum
    else
        cksum <requirements.txt
    fi
}

python_works() {
    [ -x "$venv_python" ] && "$venv_python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

up_to_date() {
    [ ! -e "$unfinished" ] && [ "$(cat ".venv/stamp-$1" 2>/dev/null)" = "$(expected_stamp "$1")" ]
}

# A .venv without stamp (made by hand) is used when it was made for this very folder.
made_for_this_folder() {
    if [ -e .venv/stamp-runtime ]; then
        [ "$(head -n 1 .venv/stamp-runtime)" = "$here" ]
    else
        grep -q "^command = .* $here/.venv\$" .venv/pyvenv.cfg 2>/dev/null
    fi
}

find_python() {
    too_old=''
    without_venv=''
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.11 python3.12 python3.13 python3.14 python3 /usr/bin/python3
    fi
    for name in "$@"; do
        found=$(command -v "$name" 2>/dev/null) || continue
        version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if ! "$found" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            too_old=$version
        elif ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
            without_venv=$version
        else
            printf '%s\n' "$found"
            return
        fi
    done
    if [ -n "$without_venv" ]; then
        fail "Python $without_venv lacks its venv module: apt install python3-venv (as root), then try again."
    elif [ -n "$too_old" ]; then
        fail "Python 3.11 or newer is needed, found only $too_old. Install one, or name it: make setup PYTHON=/path/to/python3.11"
    fi
    fail "Python 3.11 or newer is needed: apt install python3 python3-venv (as root), then try again."
}

make_venv() {
    python=$(find_python)
    rm -rf .venv 2>/dev/null || fail "The folder .venv belongs to another account; remove it and try again."
    mkdir .venv 2>/dev/null || fail "This folder may not be written to by $(id -un); clone into one of your own."
    touch "$unfinished"
    "$python" -m venv .venv >>"$log" 2>&1 || fail "A virtual environment could not be made with $python. Details: $log"
}

install_packages() {
    requirements=requirements.txt
    [ "$want" = dev ] && requirements=requirements-dev.txt
    printf 'Installing packages from %s (the first time takes a minute) ...\n' "$requirements" >&2
    touch "$unfinished" 2>/dev/null || fail "The folder .venv belongs to another account; remove it and try again."
    if ! "$venv_python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
        --retries 2 -r "$requirements" >>"$log" 2>&1; then
        # Before "Installing", pip has only read and fetched; what was there is whole.
        if [ "$fresh" = no ] && ! sed -n "$log_start,\$p" "$log" | grep -q '^Installing collected'; then
            rm -f "$unfinished"
        fi
        reason=$(sed -n "$log_start,\$p" "$log" | grep '^ERROR' | tail -n 1)
        fail "The Python packages could not be installed; is the network (or your package index) reachable? ${reason:+$reason }Details: $log"
    fi
    expected_stamp runtime >.venv/stamp-runtime
    [ "$want" != dev ] || expected_stamp dev >.venv/stamp-dev
    rm -f "$unfinished"
}

if python_works && up_to_date "$want"; then
    exit 0
fi

mkdir -p "$log_folder" 2>/dev/null || fail "The data folder ${WALLPAPER_HOME:-var} may not be written to by $(id -un); set WALLPAPER_HOME to one of your own."
log=$log_folder/setup.log
# One set-up at a time; where flock is missing, two at once are left to their luck.
exec 9<Makefile
if command -v flock >/dev/null 2>&1; then
    flock -n 9 || { printf 'Waiting for another set-up to finish ...\n' >&2; flock 9; }
    if python_works && up_to_date "$want"; then
        exit 0
    fi
fi
(: >>"$log") 2>/dev/null || fail "$log may not be written to by $(id -un); set WALLPAPER_HOME to a folder of your own."
log_start=$(($(wc -l <"$log") + 1))

fresh=no
if [ -e "$unfinished" ] || ! python_works || ! made_for_this_folder; then
    fresh=yes
    make_venv
fi
install_packages
