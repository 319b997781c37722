#!/usr/bin/env bash
# ./run says what is missing, in words one can type, and keeps its exit codes.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# expect WHAT EXIT WORDS COMMAND...: the command exits with EXIT and prints WORDS.
expect() {
  local what=$1 code=$2 words=$3 output got=0
  shift 3
  output=$("$@" 2>&1 </dev/null) || got=$?
  if [[ $got != "$code" || $output != *"$words"* ]]; then
    printf 'FAILED: %s: exit %s (want %s), wanted "%s" in:\n%s\n' \
      "$what" "$got" "$code" "$words" "$output"
    failed=1
  fi
}

expect 'help' 0 './run demo' "$root/run" help
expect 'no verb' 0 'usage:' "$root/run"
expect 'scenarios with an unknown word' 2 '[--rewrite]' "$root/run" scenarios --accept
expect 'unknown verb' 2 "unknown verb 'dance'" "$root/run" dance

# A package that nobody has, and an apt-get that reaches no network.
chmod 755 "$scratch"
printf 'build: plurix-no-such-package\nbuild: bash\n' >"$scratch/packages.txt"
mkdir "$scratch/bin"
printf '#!/bin/sh\nexit 100\n' >"$scratch/bin/apt-get"
chmod 755 "$scratch/bin/apt-get"
offline=(env PATH="$scratch/bin:$PATH" PLURIX_PACKAGES="$scratch/packages.txt")

missing='apt-get install --no-install-recommends plurix-no-such-package'
if command -v dpkg-query >/dev/null; then
  expect 'missing package, no network' 5 "$missing" "${offline[@]}" "$root/run" demo
  if ((EUID == 0)) && runuser -u nobody -- test -r "$root/run"; then
    expect 'missing package, no root' 5 'needs root' \
      runuser -u nobody -- "${offline[@]}" "$root/run" demo
  fi
fi

# What a program prints is all that reaches stdout, whatever had to be built first.
expect_clean_stdout() {
  local output
  output=$("$root/run" plurix --version 2>/dev/null </dev/null)
  [[ $(wc -l <<<"$output") == 1 && $output != *ninja* && $output != '['* ]] && return
  printf 'FAILED: stdout of ./run plurix --version holds more than the version:\n%s\n' "$output"
  failed=1
}
if [[ -x $root/build/release/bin/plurix ]]; then
  expect_clean_stdout
fi
exit $failed
