# Everything runs from .venv, which is made on first use with the versions that pyproject.toml pins.
# `make run SIM="--board esp8266 --pace"` hands options to atsim.

PYTHON ?= python3
SIM ?=
VENV := .venv
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench
BOARDS_READY := $(VENV)/.ready-boards
STUBS_READY := $(VENV)/.ready-stubs

.DEFAULT_GOAL := help
.PHONY: help setup run test lint docs bench size deploy flash package clean

help:
	@echo 'make setup   make .venv with all that is needed (the other targets do it by themselves)'
	@echo 'make run     start the simulator and a console on it; SIM="..." are options of atsim'
	@echo 'make test    run all tests; TEST="..." are options of pytest'
	@echo 'make lint    check style and format of the sources, and that they use, and the simulated chips have, no more than the real'
	@echo 'make docs    write the generated parts of the docs: tables of commands, the picture'
	@echo 'make bench   measure the firmware beside other ways to do the same; BENCH="--against 3a52cb5" beside another version, too'
	@echo 'make size    tell how large the image is, by module, and what is in the heap of an ESP8266; SIZE="--without flat"'
	@echo '             tells it for a build without that pass of tools/shrink/; fails if something has grown by more than 1 % since'
	@echo '             SIZE=--keep'
	@echo 'make deploy  bring the firmware onto a board with MicroPython: PORT=/dev/ttyUSB0, and if need be BAUD= of the AT'
	@echo '             firmware, AT_PORT= to check it on, KEY= the public key whose updates it takes; DRY_RUN=1'
	@echo '             BOARD=ESP32_GENERIC only says what would be done'
	@echo 'make flash   write MicroPython to a board, then the firmware: PORT= BOARD=ESP32_GENERIC and if need be IMAGE='
	@echo '             and SHA256= of that, BAUD= of esptool, AT_PORT=, KEY=, KEEP=1 to leave what else is in the flash, DRY_RUN=1'
	@echo 'make package put the firmware for ESP32s into build/package, for mpremote mip install; KEY= as above; BRANCH= also'
	@echo '             commits it to a branch of that name, which holds nothing else'
	@echo 'make clean   remove .venv and everything that was built'

setup: $(READY) $(STUBS_READY)
	@:

# What pip has to say goes to stderr, so that the stdout of `make run` is the session alone.
$(READY): pyproject.toml requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo '$(PYTHON) is missing: install Python 3.10 or newer' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'Python 3.10 or newer is needed, and $(PYTHON) is older' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo 'the modules venv and ensurepip are missing: install python3-venv' >&2; exit 1; }
	@echo 'making $(VENV)' >&2
	@$(PYTHON) -m venv $(VENV) >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[dev]' >&2 || \
		{ echo 'the packages could not be installed; see above' >&2; exit 1; }
	@touch $@

# Folders of their own, as the boards' stubs have the same names, among them those of modules of Python.
$(STUBS_READY): $(READY)
	@rm -rf $(VENV)/stubs $@
	@for board in esp32 esp8266; do \
		$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --no-compile \
			--target $(VENV)/stubs/$$board micropython-$$board-stubs >$(VENV)/stubs.log 2>&1 || \
		{ echo "test and lint need micropython-$$board-stubs, which pip could not install: see $(VENV)/stubs.log" >&2; exit 1; } \
	done
	@touch $@

run: $(READY)
	@$(VENV)/bin/atterm --simulator -- $(SIM)

test: $(READY) $(STUBS_READY)
	@$(VENV)/bin/python -m pytest -n auto --dist worksteal $(TEST)

lint: $(READY) $(STUBS_READY)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/python -m mpyat.standins
	@$(VENV)/bin/python -m mpyat.typecheck examples/commands/*.py

docs: $(READY)
	@$(VENV)/bin/python -m mpyat.docs
	@$(VENV)/bin/python -m mpyat.picture docs/session.svg

$(BENCH_READY): $(READY)
	@echo 'adding what the bench needs' >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[bench]' >&2 || \
		{ echo 'the packages could not be installed; see above' >&2; exit 1; }
	@touch $@

bench: $(BENCH_READY)
	@$(VENV)/bin/python -m mpyat.bench $(BENCH)

size: $(READY)
	@$(VENV)/bin/python -m mpyat.size $(SIZE)

deploy: $(READY)
	@test -n '$(PORT)' || { echo 'say which port the board is at: make deploy PORT=/dev/ttyUSB0' >&2; exit 1; }
	@test -z '$(DRY_RUN)' || test -n '$(BOARD)' || { echo 'say which board: make deploy DRY_RUN=1 BOARD=ESP32_GENERIC ...' >&2; exit 1; }
	@$(VENV)/bin/python -m mpyat.deploy '$(PORT)' $(if $(BAUD),--baud $(BAUD)) $(if $(AT_PORT),--at-port '$(AT_PORT)') \
		$(if $(KEY),--update-key '$(KEY)') $(if $(DRY_RUN),--dry-run '$(BOARD)')

$(BOARDS_READY): $(READY)
	@echo 'adding what writes to boards' >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[boards]' >&2 || \
		{ echo 'the packages could not be installed; see above' >&2; exit 1; }
	@touch $@

flash: $(BOARDS_READY)
	@test -n '$(PORT)' || { echo 'say which port the board is at: make flash PORT=/dev/ttyUSB0 BOARD=...' >&2; exit 1; }
	@$(VENV)/bin/python -m mpyat.flash_board $(if $(SHA256),--sha256 $(SHA256)) $(if $(BAUD),--baud $(BAUD)) \
		$(if $(AT_PORT),--at-port '$(AT_PORT)') $(if $(KEEP),--keep) $(if $(DRY_RUN),--dry-run) \
		$(if $(KEY),--update-key '$(KEY)') '$(PORT)' '$(BOARD)' $(if $(IMAGE),'$(IMAGE)')

package: $(READY)
	@$(VENV)/bin/python -m mpyat.package $(if $(KEY),--update-key '$(KEY)') $(if $(BRANCH),--branch '$(BRANCH)')

clean:
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
