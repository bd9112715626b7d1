#!/usr/bin/env bash
# The table of README: all three systems on all development sets, one after another.
#
#   benchmarks/evaluation.sh ../shared/data eval
#
# About 80 minutes on 2 cores. A run that was stopped goes on where it was.
set -euo pipefail
data=$1 out=$2
for set in 2wikimultihopqa hotpotqa musique cmrc2018; do
    .venv/bin/hoptree eval "$data/$set" --out "$out/$set" \
        --system hoptree --system single-shot --system closed-book
done
