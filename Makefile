# make report: set everything up and write reports/baricitinib/report.html
# make test:   set everything up and run lint, types and the quick tests
SHELL := /bin/sh
UV := $(shell if uv --version >/dev/null 2>&1; then command -v uv; else echo .tools/bin/uv; fi)
UV_VERSION := 0.8
RUN := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv/bin

.PHONY: env report test test-slow coverage lab bench validate lock
env: .venv/.complete

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check "uv>=$(UV_VERSION)"

.venv/.complete: pyproject.toml uv.lock | $(UV)
	UV_COMPILE_BYTECODE=1 $(UV) sync --frozen --quiet
	@touch $@

ifneq ($(UV),.tools/bin/uv)
$(UV): ;
endif

report: env
	$(RUN)/easitrace run parameters/baricitinib.yml

test: env
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/pytest

test-slow: env
	$(RUN)/pytest -m slow

# Every branch between a file and a cohort, and every check of a parameter file, is taken by a test.
ROOMS := cohort parameters instruments scores
coverage: env
	$(RUN)/pytest tests/cohort tests/test_parameters.py tests/test_instruments.py tests/test_scores.py tests/test_describe.py \
		$(ROOMS:%=--cov=easitrace.%) --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

lab: env
	.venv/bin/jupyter lab notebooks

bench: env
	$(RUN)/pytest benchmarks -m "" --benchmark-columns=min,median,rounds

# Our numbers beside R's, as a page.
validate: env
	mkdir -p reports/validation
	$(RUN)/papermill --cwd notebooks --no-progress-bar notebooks/90_validation.ipynb reports/validation/90_validation.ipynb
	$(RUN)/jupyter nbconvert --to html --no-input reports/validation/90_validation.ipynb

# After a change of dependencies: the lock and the conda file that repeats its pins.
lock: | $(UV)
	$(UV) lock
	UV=$(UV) python3 tools/environment.py
