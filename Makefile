.PHONY: demo setup test lint lock clean

QUESTION = When was the pianist who recorded Live at Shelly's Manne-Hole born?

demo: setup  ## Set up, index the sample corpus and answer a question over it.
	.venv/bin/hoptree index --sample --index .hoptree/sample
	.venv/bin/hoptree ask --index .hoptree/sample --explain "$(QUESTION)"

setup:  ## Make .venv and install everything from the lock files.
	@scripts/setup

test: setup  ## Run all tests.
	.venv/bin/pytest

lint: setup  ## Check style and types.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

COMPILE = .venv/bin/uv pip compile -q pyproject.toml --override overrides.txt --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --python-version 3.11 --universal

lock: setup  ## Resolve the dependencies anew.
	.venv/bin/pip install -q uv
	$(COMPILE) --no-emit-package llama-cpp-python -o requirements.lock
	$(COMPILE) --no-emit-package llama-cpp-python --extra dev -o requirements-dev.lock
	$(COMPILE) | awk '/^llama-cpp-python==/{on=1;print;next} on&&/^    /{print;next} {on=0}' \
		> requirements-llama.lock

clean:
	rm -rf .venv .hoptree
