# One command for each job. Every one sets up what it needs, and nothing that it does not need:
# .venv holds the package, its build tools and its tests; .venv-torch holds the package beside PyTorch
# (.venv-torch-2.4.1 and so on beside another one: make test-torch TORCH=2.4.1).
# The package is built once, as a wheel, and installed into both: what is tested is what is installed.

PYTHON ?= python3
PYTEST_FLAGS ?=
DEMO_FLAGS ?=
BENCH_FLAGS ?=
ACCURACY_FLAGS ?=
TORCH ?=
TORCH_TESTS ?=

VENV := .venv
BESIDE := .venv-torch$(addprefix -,$(TORCH))
OLDEST := .venv-oldest
OLDEST_TESTS ?= tests
PEERS := darts gluonts neuralforecast pytorch-forecasting
BIN := $(VENV)/bin
ENTER := PATH="$(CURDIR)/$(BIN):$$PATH"
SANITIZED := build/sanitize

# A stamp that bears the name of the interpreter: another PYTHON makes the environments anew.
MADE := .made-by-$(subst /,-,$(firstword $(PYTHON)))

PRUNE := -name __pycache__ -prune -o -name '.*' -prune -o
CORE_SOURCES := $(shell find CMakeLists.txt pyproject.toml core cmake $(PRUNE) -print 2>/dev/null)
SOURCES := $(CORE_SOURCES) $(shell find src $(PRUNE) -print)
CXX_FILES := $(shell find core tests/core benchmarks $(PRUNE) \( -name '*.hpp' -o -name '*.cpp' \) -print 2>/dev/null)

unexport PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help demo test check docs release-check test-oldest lint strict laws format test-torch test-torch-suite test-page web pictures check-web sanitize bench bench-jax bench-peers accuracy clean
.DEFAULT_GOAL := help

help:  ## this list
	@echo 'make TARGET [PYTHON=python3] [PYTEST_FLAGS=...]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F '|' '{printf "%-17s %s\n", $$1, $$2}'

demo: $(VENV)/.package  ## forecast: the tutorial's sine and a real series, with a picture in out/
	@$(BIN)/unrolled demo --out out $(DEMO_FLAGS)

test: $(VENV)/.package $(VENV)/.group-test  ## every test that needs neither PyTorch nor a browser
	@$(BIN)/pytest tests $(PYTEST_FLAGS)

check: lint strict laws  ## formatting, linting, typing, C++ warnings as errors, import law, documentation

lint: $(VENV)/.package $(VENV)/.group-check $(VENV)/.group-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)

strict: build/strict/.built

laws: $(VENV)/.package $(VENV)/.group-test
	$(BIN)/pytest tests/meta $(PYTEST_FLAGS)

format: $(VENV)/.group-check  ## let the formatters rewrite the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/clang-format -i $(CXX_FILES)

test-torch: $(BESIDE)/.package $(BESIDE)/.group-test $(BESIDE)/.group-torch  ## the tests beside PyTorch, or beside another one: TORCH=2.4.1
	@$(BESIDE)/bin/pytest tests -m torch $(PYTEST_FLAGS)

test-torch-suite: $(BESIDE)/.package $(BESIDE)/.group-torch $(BESIDE)/.group-torch-suite  ## PyTorch's own tests of modules on ours; from GitHub, or TORCH_TESTS=FOLDER
	@$(BESIDE)/bin/python tools/torch_suite.py $(TORCH_TESTS)

test-page: $(VENV)/.package $(VENV)/.group-test $(VENV)/.browser  ## the tests of the page in a real Chromium
	@$(BIN)/pytest tests -m page $(PYTEST_FLAGS)

web: web/node_modules/.made  ## build the page's script and style from web/
	$(ENTER) && cd web && npm run --silent facts > src/facts.ts && npm run --silent build

pictures: $(VENV)/.package $(VENV)/.group-test $(VENV)/.browser  ## draw the pictures of the READMEs anew
	$(BIN)/python tools/pictures.py

check-web: web/node_modules/.made  ## the front end: types, and the shipped script is what its sources build
	@mkdir -p build/web
	$(ENTER) && cd web && npm run --silent facts > ../build/web/facts.ts && cmp src/facts.ts ../build/web/facts.ts
	$(ENTER) && cd web && npm run --silent check
	$(ENTER) && cd web && npm run --silent build -- --outDir ../build/web/glass
	diff -r build/web/glass src/unrolled/page/glass

docs: $(BESIDE)/.package $(BESIDE)/.group-torch $(BESIDE)/.group-docs  ## the documentation as a site in build/site, its links checked; beside PyTorch, whose modules the reference shows
	$(BESIDE)/bin/sphinx-build -q -W --keep-going -b html docs build/site
	$(BESIDE)/bin/python tools/check_site.py build/site

release-check: $(VENV)/.group-release  ## build sdist and wheel, install each in a clean environment, run the demo and a smoke test there
	$(BIN)/python tools/release_check.py build/release

test-oldest: $(OLDEST)/.package $(OLDEST)/.group-test  ## the tests beside the oldest supported version of every dependency
	@$(OLDEST)/bin/pytest $(OLDEST_TESTS) $(PYTEST_FLAGS)

sanitize: $(VENV)/.group-build  ## the core's own tests under the address and undefined-behaviour sanitizers
	$(ENTER) cmake -S . -B $(SANITIZED) -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	  -DUNROLLED_PYTHON=OFF -DUNROLLED_TESTS=ON -DUNROLLED_SANITIZE=ON
	$(ENTER) cmake --build $(SANITIZED)
	$(ENTER) UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  ctest --test-dir $(SANITIZED) --output-on-failure --no-tests=error --parallel 2

bench: $(BESIDE)/.package $(BESIDE)/.group-torch $(BESIDE)/.group-build  ## measure all, or BENCH_FLAGS="CASE ...", and write the tables
	$(BESIDE)/bin/python benchmarks/run.py $(BENCH_FLAGS)
	$(BESIDE)/bin/python benchmarks/table.py

bench-jax: $(BESIDE)/.package $(BESIDE)/.group-bench-jax  ## measure the LSTM layer beside JAX, and write the tables
	$(BESIDE)/bin/python benchmarks/run.py jax
	$(BESIDE)/bin/python benchmarks/table.py

bench-peers: $(VENV)/.package $(VENV)/.group-test .venv-peer-unrolled/.package $(foreach peer,$(PEERS),.venv-peer-$(peer)/.group-peer-$(peer))  ## whole libraries beside this one, 8 GB of environments: BENCH_FLAGS="--data FOLDER"
	$(BIN)/python -m benchmarks.peers $(BENCH_FLAGS)
	$(BIN)/python benchmarks/table.py

accuracy: $(VENV)/.package $(VENV)/.group-test $(VENV)/.group-accuracy  ## measure the accuracy of the defaults: ACCURACY_FLAGS="--data FOLDER"
	$(BIN)/python -m benchmarks.accuracy $(ACCURACY_FLAGS)
	$(BIN)/python -m benchmarks.accuracy --table

clean:  ## remove all that was built
	rm -rf .venv .venv-* build web/node_modules out .pytest_cache .mypy_cache .ruff_cache .hypothesis

# ---- what the jobs stand on -------------------------------------------------------------------------------------

PEER_VENVS := $(addprefix .venv-peer-,unrolled $(PEERS))

$(VENV)/$(MADE) $(BESIDE)/$(MADE) $(OLDEST)/$(MADE) $(addsuffix /$(MADE),$(PEER_VENVS)):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d; name another, such as: make PYTHON=python3.12" % sys.version_info[:2])'
	@echo 'making $(@D)'
	@rm -rf $(@D)
	@$(PYTHON) -m venv $(@D)
	@touch $@

define GROUPS
$(1)/.group-%: pyproject.toml tools/requirements.py $(1)/$(MADE)
	@echo 'installing into $(1): what $$* needs'
	@$(1)/bin/python tools/requirements.py $$* $$(addprefix torch==,$(TORCH)) > $$@.txt
	@$(1)/bin/python -m pip install --quiet $$(CONSTRAINTS_$(1)) -r $$@.txt
	@touch $$@
endef
$(foreach environment,$(VENV) $(BESIDE) $(OLDEST) $(PEER_VENVS),$(eval $(call GROUPS,$(environment))))

# The lower bounds of pyproject.toml, for the environment that tests them.
CONSTRAINTS_$(OLDEST) = -c $(OLDEST)/.oldest.txt

$(OLDEST)/.oldest.txt: pyproject.toml tools/requirements.py $(OLDEST)/$(MADE)
	@$(OLDEST)/bin/python tools/requirements.py oldest > $@

$(OLDEST)/.package $(OLDEST)/.group-test: $(OLDEST)/.oldest.txt

# Without isolation, so that the build folder is kept and a change of one file compiles one file.
build/wheel/.built: $(SOURCES) $(VENV)/.group-build
	@echo 'building the package (the first time takes a minute or two)'
	@rm -rf $(@D)
	@$(ENTER) $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(@D) .
	@touch $@

build/strict/.built: $(CORE_SOURCES) $(VENV)/.group-build
	@echo 'building the core with warnings as errors'
	@$(ENTER) $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(@D) \
	  -C build-dir=$(@D) -C cmake.define.UNROLLED_WERROR=ON .
	@touch $@

# The first line replaces a wheel of the same version; the second adds what the package depends on.
$(VENV)/.package $(BESIDE)/.package $(OLDEST)/.package .venv-peer-unrolled/.package: %/.package: build/wheel/.built %/$(MADE)
	@echo 'installing into $(@D): unrolled'
	@$(@D)/bin/python -m pip install --quiet --force-reinstall --no-deps build/wheel/*.whl
	@$(@D)/bin/python -m pip install --quiet $(CONSTRAINTS_$(@D)) build/wheel/*.whl
	@touch $@

# A node from PyPI only where the system has none that is new enough.
$(VENV)/.node: $(VENV)/$(MADE)
	@{ command -v npm && node -e 'const [a, b] = process.versions.node.split("."); process.exit(1000 * a + +b < 20019 ? 1 : 0)'; } >/dev/null 2>&1 || \
	  $(MAKE) --no-print-directory $(VENV)/.group-web
	@touch $@

web/node_modules/.made: web/package.json web/package-lock.json $(VENV)/.node
	@echo 'installing into web/node_modules: what the front end is built with'
	@$(ENTER) && cd web && npm ci --silent --no-audit --no-fund
	@touch $@

# Playwright's own Chromium only where the system has none.
$(VENV)/.browser: $(VENV)/.group-page
	@for browser in chromium chromium-browser google-chrome; do command -v $$browser && exit; done; \
	  $(BIN)/python -m playwright install chromium
	@touch $@
