#!/usr/bin/env bash
# The table of README: all three systems on all development sets, one after another.
#
#   benchmarks/evaluation.sh ../shared/data eval
#
# About 75 minutes on 2 cores, most of them the single-shot baseline. A run that was stopped goes on
# where it was. What follows the two folders is passed on to `hoptree eval`, as `--limit 3`.
#
# The same over Elasticsearch, with the results in eval/elasticsearch: on a node that ES names, or on
# one started for the run from the artifacts that the tests use. The corpora stay on the node as
# eval-….
#
#   ES=es://127.0.0.1:9200 benchmarks/evaluation.sh ../shared/data eval
#   .venv/bin/python tests/elastic_node.py benchmarks/evaluation.sh ../shared/data eval
set -euo pipefail
mkdir -p "$2${ES:+/elasticsearch}"
data=$(cd "$1" && pwd) out=$(cd "$2${ES:+/elasticsearch}" && pwd)
shift 2
cd "$(dirname "$0")/.."
# The model alone reads no index.
systems=(--system hoptree --system single-shot)
[ -n "${ES:-}" ] || systems+=(--system closed-book)
for set in 2wikimultihopqa hotpotqa musique cmrc2018; do
    over=()
    if [ -n "${ES:-}" ]; then
        over=(--index "${ES%/}/eval-$set")
        .venv/bin/hoptree index "$data/$set/corpus.jsonl" --prune "${over[@]}"
    fi
    .venv/bin/hoptree eval "$data/$set" --out "$out/$set" "${systems[@]}" "${over[@]}" "$@"
done
