#!/bin/sh
# Checks that every tracked source is formatted; with --fix, formats it.
# Older clang-formats mangle concepts, so the version is part of the name.
set -eu
cd "$(dirname "$0")/../.."
mode='--dry-run -Werror'
[ "${1:-}" != --fix ] || mode=-i

files=$(git ls-files -- '*.h' '*.cc')
[ -n "$files" ] || { echo 'git names no source file: nothing was checked' >&2; exit 1; }
# shellcheck disable=SC2086  # the mode is two words
printf '%s\n' "$files" | xargs clang-format-19 $mode || {
  echo 'to mend it: tests/hygiene/format.sh --fix' >&2
  exit 1
}
