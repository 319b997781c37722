#!/bin/sh
# Builds the exam in build/exam and runs it: every planted bug, or those named as arguments.
# Prints for each whether it was caught, and by which test; with --all, by how many of all tests.
set -eu
cd "$(dirname "$0")/../.."
cmake --preset release -B build/exam -DPLURIX_BUILD_BENCH=OFF -DPLURIX_BUILD_EXAMPLES=OFF >/dev/null
cmake --build build/exam --target plurix_exam_tests
exec python3 tests/mutation/exam.py --readme tests/README.md build/exam/bin/plurix_exam_tests "$@"
