# Quittance. `make` lists the targets.
.POSIX:
.PHONY: help setup libraries browser demo run migrate test lint format acceptance schema fuzz bench screenshots doctor stop-db clean-data

# Compiled code is kept even where the surroundings say otherwise: without it every start of a program takes twice as long.
PYTHON = PYTHONDONTWRITEBYTECODE= .venv/bin/python
ACCEPTANCE = ../shared/acceptance
ARGS =

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: ## Make the environment .venv from the lock file
	@sh scripts/setup.sh

libraries: setup
	@sh scripts/system-libraries.sh

browser: setup
	@sh scripts/browser.sh

demo: setup libraries ## Load the sample company and its usage, bill it, and show it (Ctrl-C stops; DEMO_EXIT=1 exits)
	@$(PYTHON) manage.py demo $(ARGS)

run: setup libraries ## Serve: web, task worker and scheduler together (Ctrl-C stops all three, make stop-db the embedded database)
	@$(PYTHON) manage.py serve $(ARGS)

migrate: setup ## Bring the database up to date
	@$(PYTHON) manage.py migrate $(ARGS)

test: setup libraries browser ## Run the whole test suite (ARGS="tests/domain -x")
	@$(PYTHON) -m pytest -n 2 --dist worksteal -q $(ARGS)

lint: setup ## Check style, layers, types and migrations
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports
	@.venv/bin/mypy
	@$(PYTHON) manage.py makemigrations --check --dry-run

format: setup ## Format the code and fix what can be fixed
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

acceptance: setup libraries ## For maintainers: run the acceptance cases, a folder beside the checkout that is not published (ARGS="--area=taxes")
	@test -d $(ACCEPTANCE) || { echo "There is no $(ACCEPTANCE): the acceptance cases are not published. make test runs the tests."; exit 1; }
	@$(PYTHON) -m pytest $(ACCEPTANCE) -c pyproject.toml --rootdir . -p no:cacheprovider -n 2 -q -rN --show-capture=no $(ARGS)

schema: setup ## Write the description of the API to docs/api/openapi.yaml
	@$(PYTHON) manage.py spectacular --validate --fail-on-warn --file docs/api/openapi.yaml

fuzz: setup ## Send many made-up requests to the API (FUZZ_EXAMPLES=200 each, FUZZ_SEED=1, FUZZ_ONLY=invoices; takes long)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-100} FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} $(PYTHON) -m pytest -q --show-capture=no \
		tests/api/schema/test_fuzz.py tests/api/schema/test_nasty_requests.py $(ARGS)

bench: setup ## Measure ingestion, rating and current usage against bare SQL, ratios last (some minutes)
	@PYTHONPATH=. $(PYTHON) benchmarks/suite.py

screenshots: setup browser ## Take the pictures of the README from the sample (needs poppler's pdftoppm)
	@PYTHONPATH=. $(PYTHON) scripts/screenshots.py $(ARGS)

doctor: setup ## Check what the installation needs, and say what to do
	@$(PYTHON) manage.py doctor

stop-db: setup ## Stop the embedded database
	@$(PYTHON) -m config.localdb stop

clean-data: setup ## Delete everything the installation has stored: database, documents, e-mails, keys (ARGS=--yes: unasked)
	@$(PYTHON) -m config.clean_data $(ARGS)
