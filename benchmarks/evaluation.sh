#!/usr/bin/env bash
# The table of README: all three systems on all development sets, one after another.
#
#   benchmarks/evaluation.sh ../shared/data eval
#
# About 75 minutes on 2 cores, most of them the single-shot baseline. A run that was stopped goes on
# where it was.
set -euo pipefail
mkdir -p "$2"
data=$(cd "$1" && pwd) out=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
for set in 2wikimultihopqa hotpotqa musique cmrc2018; do
    .venv/bin/hoptree eval "$data/$set" --out "$out/$set" \
        --system hoptree --system single-shot --system closed-book
done
