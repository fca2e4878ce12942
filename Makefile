# Each line first brings the environment in .venv up to date with requirements/ (see requirements/environment.py).
# Settings: NO_BROWSER=1  TORCH=cpu (or gpu)  PYTHON=/path/to/python

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null && echo $$name && break; done)
RUN = $(if $(PYTHON),$(PYTHON),$(error No Python runs here: install Python 3.11, 3.12 or 3.13)) requirements/environment.py

.PHONY: learn test book lint soak bench data-release lock
.DEFAULT_GOAL := learn

learn:  # the book and live lessons, on one local server
	@$(RUN) book/learn.py

test: lint  # everything a change must pass
	@$(RUN) -m pytest --numprocesses logical --maxprocesses 4

book:  # every page, every lesson executed; ALSO="epub pdf" writes the whole book as files, too
	@$(RUN) book/build.py $(ALSO:%=--%)

lint:  # style, format, types
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy

soak:  # the slow ways: the oldest torch, every lesson in every way, a training killed 300 times
	@$(RUN) tests/soak.py

bench:  # measure again, and keep the results
	@$(RUN) benchmarks

data-release:  # the folder of course editions to upload, with its checksums
	@$(RUN) .github/data_release.py

lock:  # write the exact pins again; UPGRADE=1 moves them to the newest versions
	@$(RUN) requirements/lock.py
