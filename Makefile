# `make demo` and `make test` do all their own set-up in .venv and touch nothing outside this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENGINE := $(BIN)/engine
DEMO := demo
LEAN := .venv-lean
PEERS := .venv-peers
BEAUTY ?= ../shared/data/amazon-beauty
ML1M ?= ../shared/data/ml-1m
RETAIL ?= ../shared/data/online-retail
USERS ?= 100000
READY := $(VENV)/ready

.PHONY: demo lean beauty ml-1m seeds student peers nights scale days suite alarms stall pictures explanations corrections forgetting \
	privacy facets retail profile-pictures test kills damage lint clean

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 3; }
	@command -v $${CC:-gcc} > /dev/null || { echo "a C++ compiler is needed to build hnswlib: install gcc and g++"; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# From raw logs to profiles on MovieLens 100K; every line is a command that a user would type.
demo: $(READY)
	rm -rf $(DEMO)
	$(ENGINE) data fetch ml-100k --out $(DEMO)/raw
	$(ENGINE) data ingest --config $(DEMO)/raw/dataset.toml --out $(DEMO)/dataset
	$(ENGINE) export --encoder all-MiniLM-L6-v2 --calibrate $(DEMO)/dataset --out $(DEMO)/encoder
	$(ENGINE) train $(DEMO)/dataset --encoder $(DEMO)/encoder --out $(DEMO)/run --minutes 3.8
	$(ENGINE) export $(DEMO)/run --out $(DEMO)/bundle
	$(ENGINE) index $(DEMO)/bundle $(DEMO)/dataset --method hnsw --out $(DEMO)/index
	$(ENGINE) serve-batch --bundle $(DEMO)/bundle --index $(DEMO)/index --events $(DEMO)/dataset --out $(DEMO)/profiles
	for user in 13 405 655; do \
		$(ENGINE) recommend $$user --bundle $(DEMO)/bundle --index $(DEMO)/index --events $(DEMO)/dataset && echo || exit; \
	done
	$(ENGINE) evaluate $(DEMO)/run $(DEMO)/bundle $(DEMO)/dataset --index $(DEMO)/index

# The runtime as an operator has it: a wheel without extras, in an environment of its own, serving the demo's bundle.
lean: $(READY)
	@test -d $(DEMO)/index || { echo "run make demo first: its bundle is what is served"; exit 2; }
	rm -rf $(LEAN) $(DEMO)/lean && $(PYTHON) -m venv $(LEAN)
	$(LEAN)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt .
	cp -r $(DEMO)/bundle $(DEMO)/index $(DEMO)/dataset $(LEAN)/
	cd / && $(CURDIR)/$(LEAN)/bin/engine serve-batch --bundle $(CURDIR)/$(LEAN)/bundle --index $(CURDIR)/$(LEAN)/index \
		--events $(CURDIR)/$(LEAN)/dataset --out $(CURDIR)/$(DEMO)/lean
	@for package in torch transformers optimum onnx scipy; do \
		! $(LEAN)/bin/python -c "import $$package" 2> /dev/null || { echo "$$package is there"; exit 1; }; \
		echo "$$package: absent"; \
	done
	@rm -r $(LEAN)/bundle $(LEAN)/index $(LEAN)/dataset
	@du -sm $(LEAN)/lib | awk '{print "environment without extras: " $$1 " MB"}'
	@du -sm $(LEAN)/lib/python*/site-packages/* | sort -rn | head -5 | awk '{n = split($$2, part, "/"); print "  " part[n] ": " $$1 " MB"}'

# Amazon Beauty from raw files to served recommendations; every step says how long it took and how much memory.
beauty: $(READY)
	@test -d $(BEAUTY) || { echo "no data in $(BEAUTY): make beauty BEAUTY=folder with events.tsv.gz and items.jsonl.gz"; exit 4; }
	rm -rf $(DEMO)/beauty
	$(ENGINE) data ingest --config examples/amazon-beauty.toml --events $(BEAUTY)/events.tsv.gz \
		--items $(BEAUTY)/items.jsonl.gz --out $(DEMO)/beauty/dataset
	$(ENGINE) export --encoder all-MiniLM-L6-v2 --calibrate $(DEMO)/beauty/dataset --out $(DEMO)/beauty/encoder
	$(ENGINE) train $(DEMO)/beauty/dataset --encoder $(DEMO)/beauty/encoder --out $(DEMO)/beauty/run --minutes 40
	$(ENGINE) export $(DEMO)/beauty/run --out $(DEMO)/beauty/bundle
	$(ENGINE) index $(DEMO)/beauty/bundle $(DEMO)/beauty/dataset --method hnsw --out $(DEMO)/beauty/index
	$(ENGINE) serve-batch --bundle $(DEMO)/beauty/bundle --index $(DEMO)/beauty/index \
		--events $(DEMO)/beauty/dataset --out $(DEMO)/beauty/profiles
	$(ENGINE) evaluate $(DEMO)/beauty/run $(DEMO)/beauty/bundle $(DEMO)/beauty/dataset --index $(DEMO)/beauty/index

# MovieLens 1M the same way, and what its profiles tell of gender, age and occupation; two hours at most.
ml-1m: $(READY)
	@test -d $(ML1M) || { echo "no data in $(ML1M): make ml-1m ML1M=folder with events, items and users"; exit 4; }
	rm -rf $(DEMO)/ml-1m
	$(ENGINE) data ingest --config examples/ml-1m.toml --events $(ML1M)/events.tsv.gz --items $(ML1M)/items.jsonl.gz \
		--users $(ML1M)/users.tsv.gz --out $(DEMO)/ml-1m/dataset
	$(ENGINE) export --encoder all-MiniLM-L6-v2 --calibrate $(DEMO)/ml-1m/dataset --out $(DEMO)/ml-1m/encoder
	$(ENGINE) train $(DEMO)/ml-1m/dataset --encoder $(DEMO)/ml-1m/encoder --out $(DEMO)/ml-1m/run --minutes 115
	$(ENGINE) export $(DEMO)/ml-1m/run --out $(DEMO)/ml-1m/bundle
	$(ENGINE) index $(DEMO)/ml-1m/bundle $(DEMO)/ml-1m/dataset --method hnsw --out $(DEMO)/ml-1m/index
	$(ENGINE) evaluate $(DEMO)/ml-1m/run $(DEMO)/ml-1m/bundle $(DEMO)/ml-1m/dataset --index $(DEMO)/ml-1m/index --ablations
	$(ENGINE) labels $(DEMO)/ml-1m/run $(DEMO)/ml-1m/dataset --labels gender,age,occupation --out $(DEMO)/ml-1m/labelled

# Seeds 1 and 2 of `make beauty` beside its seed 0, a plain SASRec by the same recipe, and new items; an hour and a half.
seeds: $(READY)
	@test -d $(DEMO)/beauty/index || { echo "no index in $(DEMO)/beauty: run make beauty first"; exit 4; }
	for seed in 1 2; do \
		$(ENGINE) train $(DEMO)/beauty/dataset --encoder $(DEMO)/beauty/encoder --seed $$seed --out $(DEMO)/beauty/run-$$seed --minutes 40 \
		&& $(ENGINE) export $(DEMO)/beauty/run-$$seed --out $(DEMO)/beauty/bundle-$$seed \
		&& $(ENGINE) index $(DEMO)/beauty/bundle-$$seed $(DEMO)/beauty/dataset --method hnsw --out $(DEMO)/beauty/index-$$seed || exit; \
	done
	$(ENGINE) train $(DEMO)/beauty/dataset --encoder $(DEMO)/beauty/encoder --without text,decoder --out $(DEMO)/beauty/sasrec --minutes 40
	cd $(DEMO)/beauty && ../../$(ENGINE) evaluate run run-1 run-2 bundle bundle-1 bundle-2 sasrec dataset \
		--index index --index index-1 --index index-2
	$(ENGINE) train $(DEMO)/beauty/dataset --encoder $(DEMO)/beauty/encoder --withhold 0.05 --out $(DEMO)/beauty/withheld --minutes 40
	$(ENGINE) evaluate $(DEMO)/beauty/withheld $(DEMO)/beauty/dataset

# A student of the encoder of `make beauty`, and what is served with it; twenty minutes.
student: $(READY)
	@test -d $(DEMO)/beauty/dataset || { echo "no data set in $(DEMO)/beauty: run make beauty first"; exit 4; }
	$(ENGINE) export --encoder all-MiniLM-L6-v2 --calibrate $(DEMO)/beauty/dataset --distill --out $(DEMO)/beauty/student
	$(ENGINE) train $(DEMO)/beauty/dataset --encoder $(DEMO)/beauty/student --out $(DEMO)/beauty/student-run --minutes 40
	$(ENGINE) export $(DEMO)/beauty/student-run --out $(DEMO)/beauty/student-bundle
	$(ENGINE) index $(DEMO)/beauty/student-bundle $(DEMO)/beauty/dataset --method hnsw --out $(DEMO)/beauty/student-index
	$(ENGINE) evaluate $(DEMO)/beauty/student-run $(DEMO)/beauty/student-bundle $(DEMO)/beauty/dataset \
		--index $(DEMO)/beauty/student-index

# The encoder of `make beauty` and the one of `make student` beside other engines on the same weights and texts, then
# against the machine; an hour, on a machine that does nothing else.
peers:
	@test -d $(DEMO)/beauty/student || { echo "no student in $(DEMO)/beauty: run make beauty student first"; exit 4; }
	test -d $(PEERS) || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(PEERS)/bin/engine tune $(DEMO)/beauty/encoder
	$(PEERS)/bin/engine bench peers encoder --encoder $(DEMO)/beauty/encoder --student $(DEMO)/beauty/student \
		--dataset $(DEMO)/beauty/dataset --out $(DEMO)/beauty/peers.json
	$(PEERS)/bin/engine bench encoder --encoder $(DEMO)/beauty/encoder --dataset $(DEMO)/beauty/dataset \
		--memory-texts 12101,1000000

# A whole night of the bundle of `make beauty` beside what one would write today; half an hour.
nights:
	@test -d $(PEERS) || { echo "run make peers first: it installs the others"; exit 2; }
	$(PEERS)/bin/engine bench peers serve --bundle $(DEMO)/beauty/bundle --dataset $(DEMO)/beauty/dataset \
		--out $(DEMO)/beauty/serve.json

# From raw events to served users: 100,000, 1,000,000 and 100,000 again, with 200,000 items; an hour, 6 GB.
scale: $(READY)
	$(ENGINE) bench scale --users 100000,1000000,100000 --workdir $(DEMO)/scale --out $(DEMO)/scale.json

# Two workers beside one, and a day of which one user in a hundred has events, on what `make scale` has left; ten minutes
# of 100,000 users, an hour and a half with USERS=1000000.
days: $(READY)
	@test -d $(DEMO)/scale || { echo "nothing in $(DEMO)/scale: run make scale first"; exit 4; }
	PYTHONPATH=tests $(BIN)/python -m end_to_end.days --workdir $(DEMO)/scale --users $(USERS)

# The standard suite on the bundle of `make beauty`, and its report; ten minutes.
suite: $(READY)
	@test -d $(DEMO)/beauty/index || { echo "no index in $(DEMO)/beauty: run make beauty first"; exit 4; }
	$(ENGINE) bench run --bundle $(DEMO)/beauty/bundle --index $(DEMO)/beauty/index --events $(DEMO)/beauty/dataset \
		--out $(DEMO)/beauty/suite.json
	$(ENGINE) bench report $(DEMO)/beauty/suite.json --out $(DEMO)/report.html --price 0.10 --currency EUR

# The report of `make suite` as pictures, at two widths and in both colour schemes; needs Chromium.
pictures: $(READY)
	@test -f $(DEMO)/beauty/suite.json || { echo "no $(DEMO)/beauty/suite.json: run make suite first"; exit 4; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check playwright
	PYTHONPATH=tests $(BIN)/python -m pictures $(DEMO)/report.html docs/pictures

# A planted slow-down of a tenth is found, the same build twenty times is not, a history of thirty runs shows its step; a quarter of an hour.
alarms: $(READY)
	@test -d $(DEMO)/beauty/index || { echo "no index in $(DEMO)/beauty: run make beauty first"; exit 4; }
	PYTHONPATH=tests $(BIN)/python -m end_to_end.alarms --bundle $(DEMO)/beauty/bundle --index $(DEMO)/beauty/index \
		--events $(DEMO)/beauty/dataset

# A server that stalls for a second in thirty: an open loop, a closed loop, and what the schedule says; a minute.
stall: $(READY)
	PYTHONPATH=tests $(BIN)/python -m end_to_end.stall

# Shares of interests and scores of 1,000 users of both data sets against what was served; three minutes.
explanations: $(READY)
	for data in beauty ml-1m; do \
		PYTHONPATH=tests $(BIN)/python -m end_to_end.explanations --bundle $(DEMO)/$$data/bundle --index $(DEMO)/$$data/index \
			--events $(DEMO)/$$data/dataset || exit; \
	done

# A thousand users mask their strongest interest; three minutes.
corrections: $(READY)
	for data in beauty ml-1m; do \
		PYTHONPATH=tests $(BIN)/python -m end_to_end.masking --bundle $(DEMO)/$$data/bundle --index $(DEMO)/$$data/index \
			--events $(DEMO)/$$data/dataset || exit; \
	done

# A hundred users of MovieLens 1M are forgotten, and what is left is held against what never knew them; two minutes.
forgetting: $(READY)
	PYTHONPATH=tests $(BIN)/python -m end_to_end.forgetting --raw $(ML1M) --config examples/ml-1m.toml \
		--bundle $(DEMO)/ml-1m/bundle --index $(DEMO)/ml-1m/index

# Erased attributes and noise of released profiles, with what they cost, and what served profiles leak; ten minutes.
privacy: $(READY)
	PYTHONPATH=tests $(BIN)/python -m end_to_end.privacy --bundle $(DEMO)/ml-1m/bundle --index $(DEMO)/ml-1m/index \
		--events $(DEMO)/ml-1m/dataset --labels gender
	$(ENGINE) serve-batch --bundle $(DEMO)/ml-1m/bundle --index $(DEMO)/ml-1m/index --events $(DEMO)/ml-1m/dataset \
		--out $(DEMO)/ml-1m/profiles --force
	rm -f $(DEMO)/release.key && $(ENGINE) pseudonyms new-key $(DEMO)/release.key
	$(ENGINE) protect $(DEMO)/ml-1m/profiles --bundle $(DEMO)/ml-1m/bundle --events $(DEMO)/ml-1m/dataset --remove gender \
		--key $(DEMO)/release.key --out $(DEMO)/ml-1m/released --force
	for audited in profiles "released --key $(DEMO)/release.key"; do \
		$(ENGINE) audit $(DEMO)/ml-1m/$$audited --events $(DEMO)/ml-1m/dataset --bundle $(DEMO)/ml-1m/bundle \
			--index $(DEMO)/ml-1m/index --labels gender,age || exit; \
	done

# Facets against queries on the raw files, and what they cost in serving; five minutes.
facets: $(READY)
	for name in ml-100k complete-journey; do \
		$(ENGINE) data fetch $$name --out $(DEMO)/$$name --force \
		&& PYTHONPATH=tests $(BIN)/python -m end_to_end.facets --raw $(DEMO)/$$name --config $(DEMO)/$$name/dataset.toml || exit; \
	done
	for data in beauty ml-1m; do \
		PYTHONPATH=tests $(BIN)/python -m end_to_end.facet_cost --bundle $(DEMO)/$$data/bundle --index $(DEMO)/$$data/index \
			--events $(DEMO)/$$data/dataset || exit; \
	done

# Online Retail from raw files to an index: moments, prices and returns, for profiles that show every facet; ten minutes.
retail: $(READY)
	@test -d $(RETAIL) || { echo "no data in $(RETAIL): make retail RETAIL=folder with events, items and users"; exit 4; }
	rm -rf $(DEMO)/retail
	$(ENGINE) data ingest --config examples/online-retail.toml --events $(RETAIL)/events.tsv.gz --items $(RETAIL)/items.jsonl.gz \
		--users $(RETAIL)/users.tsv.gz --out $(DEMO)/retail/dataset
	$(ENGINE) build $(DEMO)/retail/dataset --minutes 5 --out $(DEMO)/retail/bundle
	$(ENGINE) index $(DEMO)/retail/bundle $(DEMO)/retail/dataset --method hnsw --out $(DEMO)/retail/index

# The profile page of one user of `make retail` in both languages, as pictures; needs Chromium and a Chinese font.
profile-pictures: $(READY)
	@test -d $(DEMO)/retail/index || { echo "no index in $(DEMO)/retail: run make retail first"; exit 4; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check playwright
	for language in en zh; do \
		$(ENGINE) explain 12347 --bundle $(DEMO)/retail/bundle --index $(DEMO)/retail/index --events $(DEMO)/retail/dataset \
			--top 5 --language $$language --html $(DEMO)/profile-$$language.html || exit; \
	done
	PYTHONPATH=tests $(BIN)/python -m profile_pictures $(DEMO)/profile-en.html $(DEMO)/profile-zh.html docs/pictures

test: lint
	$(BIN)/python -m coverage erase
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report= --durations 15
	@for package in runtime/engine_runtime models/engine_models export/engine_export bench/engine_bench; do \
		printf '%-24s' $$package; \
		$(BIN)/python -m coverage report --include="$$package/*" --format=total | sed 's/$$/ % of lines covered/'; \
	done
	@$(BIN)/python -m coverage report --include='runtime/*' --fail-under=90 > /dev/null || { echo "runtime: under 90 %"; exit 1; }

# `engine serve-batch`, killed at 200 random moments and resumed; a minute or two.
kills: $(READY)
	PYTHONPATH=tests $(BIN)/python -m end_to_end.kills --count 200

# The whole corpus of damaged inputs, those that a day goes on from too, of which `make test` runs a sample.
damage: $(READY)
	DAMAGED_INPUTS=640 $(BIN)/python -m pytest -q -n 2 tests/runtime/test_damaged_inputs.py tests/runtime/test_damaged_days.py

lint: $(READY)
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(LEAN) $(PEERS) $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
