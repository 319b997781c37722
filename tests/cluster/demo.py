#!/usr/bin/env python3
"""Runs `plurix demo ARGS --json` and checks what it says of itself."""

import sys

from run_plurix import check_demo, run

check_demo(*run("demo", "--json", *sys.argv[2:]))
