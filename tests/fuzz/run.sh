#!/usr/bin/env bash
# Fuzzes whatever parses bytes, for SECONDS_EACH seconds a target (5 by default), starting from the
# corpus in the repository.
#
#   tests/fuzz/run.sh [SECONDS_EACH] [TARGET…]
#
# Needs clang++-19 with its runtime; says so and passes where it is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${1:-5}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "no number of seconds: $seconds" >&2; exit 2; }
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(frame protocol_step text scenario store ethernet rtl8139)
compiler=${PLURIX_FUZZ_COMPILER:-clang++-19}
if ! command -v "$compiler" >/dev/null; then
  echo "fuzzing skipped: $compiler is not installed (package clang-19)"
  exit 0
fi
build=${PLURIX_FUZZ_BUILD:-$root/build/fuzz}
mkdir -p "$build/objects"
flags=(-std=c++20 -O1 -g1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
  -I"$root/include" -I"$root/history/include" -I"$root/checkpoint/include"
  -I"$root/transports/sim/include"
  -I"$root/platform/sim/include" -I"$root/transports/ethernet/include"
  -I"$root/transports/rtl8139/include" -I"$root/transports" -I"$root/tests")

libraries=()
if [ -f /usr/include/zstd.h ]; then
  flags+=(-DPLURIX_HAS_ZSTD=1)
  libraries+=(-lzstd)
fi

# Objects newer than every header are kept.
newest=$(find "$root/include" "$root/history" "$root/checkpoint" "$root/platform/sim" "$root/transports" \
  "$root/tests/support" \
  -name '*.h' -printf '%T@\n' | sort -n | tail -n 1)
compile() {
  local source=$1 object=$2
  if [ -f "$object" ] && [ "$object" -nt "$source" ] &&
    awk -v a="$(stat -c %Y "$object")" -v b="$newest" 'BEGIN { exit !(a > b) }'; then
    return
  fi
  "$compiler" "${flags[@]}" -c "$source" -o "$object"
}
export -f compile
objects=()
sources=("$root"/lib/*.cc)
if [[ " ${targets[*]} " =~ " text "|" store " ]]; then
  sources+=("$root"/history/*.cc "$root"/checkpoint/*.cc "$root"/platform/sim/*.cc "$root"/platform/sim/checkers/*.cc
    "$root"/transports/sim/*.cc)
fi
for target in "${targets[@]}"; do
  [ "$target" != scenario ] || sources+=("$root"/tests/support/*.cc)
done
for target in "${targets[@]}"; do
  [ "$target" != rtl8139 ] || sources+=("$root"/transports/rtl8139/testing/*.cc)
done
for source in "${sources[@]}"; do
  object="$build/objects/$(echo "${source#"$root"/}" | tr / _).o"
  objects+=("$object")
  compile "$source" "$object" &
  while [ "$(jobs -r | wc -l)" -ge "$(nproc)" ]; do wait -n; done
done
wait

all=0
for target in "${targets[@]}"; do
  program="$build/${target}_fuzz"
  "$compiler" "${flags[@]}" -fsanitize=fuzzer "$here/${target}_fuzz.cc" "${objects[@]}" "${libraries[@]}" -o "$program"
  corpus="$here/corpus/$target"
  found="$build/corpus_$target"
  mkdir -p "$corpus" "$found"
  echo "fuzzing $target for $seconds s"
  if ! "$program" -max_total_time="$seconds" -max_len=8192 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$build/" "$found" "$corpus" >"$build/$target.log" 2>&1; then
    tail -n 60 "$build/$target.log"
    echo "fuzzing $target FAILED; replay: $program $build/crash-…"
    exit 1
  fi
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log")
  echo "  $executed executions"
  all=$((all + executed))
done
echo "$all executions in all, nothing found"
