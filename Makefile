# Everything runs in .venv, which `make venv` fills with the tested versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN ?= runs/quickstart
LOWEST_TESTS ?= $(addprefix tests/,data evaluation figures formats losses metrics models networks runs saved_models serving text \
	training recipe/test_statements.py test_commands.py test_generator.py test_hostile_folder.py)
# Suppresses TensorFlow's start-up log.
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: venv quickstart test test-lowest benchmark lint clean

venv: $(VENV)/.installed

$(VENV)/.installed: setup.py pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo 'Python 3.11, 3.12 or 3.13 is needed: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11'; exit 2; }
	@echo 'Installing into $(VENV) (about 3 GB; once) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Draw a bird with the preset; then train on painted birds, sample, export, load the export in a fresh process.
quickstart: venv
	@$(BIN)/python -m stackgan_tf.sample --caption='a small red bird with a black crown' --output=$(RUN)_preset
	@$(BIN)/python -m stackgan_tf.train --gin_file=gin/quickstart.gin --workdir=$(RUN)
	@$(BIN)/python -m stackgan_tf.sample --model=$(RUN) --output=$(RUN)/images \
		--caption='a small red bird with a black crown' --caption='this blue bird has a white belly, yellow wings and a green crown' \
		--caption='a yellow bird with black wings and a short beak' --caption='this white bird has red wings and a long pointed bill'
	@rm -rf $(RUN)/export
	@$(BIN)/python -m stackgan_tf.export --model=$(RUN) --output=$(RUN)/export
	@$(BIN)/python -W ignore::UserWarning tools/image_from_export.py --export=$(RUN)/export --seed=7 \
		--caption='a small red bird with a black crown' --output=$(RUN)/image.png
	@printf '\nDone. Birds of the preset: %s\nIn %s:\n' '$(RUN)_preset/grid.png' '$(RUN)'
	@printf '  %-26s %s\n' 'images/grid.png' 'birds of this run and their captions' \
		'image.png' 'one bird from the exported model' \
		'export/' 'the SavedModel for other programs' 'tree/samples/' 'samples during training' 'tree/metrics.jsonl' 'losses and speed'
	@printf 'TensorBoard: %s --logdir %s\n' '$(BIN)/tensorboard' '$(RUN)'

test: venv
	@$(BIN)/python -m pytest

# Tests with the oldest versions that setup.py allows, in a temporary environment. Two tests are deselected: they expect an
# empty stderr, where TensorFlow 2.20 logs XLA compilation.
test-lowest:
	@folder=$$(mktemp -d) && trap 'rm -rf '"$$folder" EXIT && $(PYTHON) -m venv $$folder && \
	$$folder/bin/pip install --quiet --disable-pip-version-check --constraint constraints-lowest.txt '.[test]' && \
	PYTHONPATH=$(CURDIR) $$folder/bin/python -m pytest $(LOWEST_TESTS) \
		--deselect tests/test_commands.py::test_training_speaks_to_the_user_and_to_nobody_else \
		--deselect tests/test_commands.py::test_a_folder_of_images

# The tables of docs/performance.md: ratios to plain Keras in training and in sampling, then unmodified recipes.
BIRDS := gin/cub.gin --gin_param='BATCH_SIZE = 8' --baseline=plain
TEXT := Conditioning.pairs = 'text'
BFLOAT16 := Recipe.precision = 'onednn_bfloat16'
benchmark: venv
	@mkdir -p runs
	@$(BIN)/python tools/benchmark.py train $(BIRDS) --variant="$(TEXT)" --variant="$(TEXT); $(BFLOAT16)" --repeats=5 --profile \
		--json=runs/benchmark_train.json
	@$(BIN)/python tools/benchmark.py sample $(BIRDS) --variant="$(BFLOAT16)" --repeats=20 --json=runs/benchmark_sample.json
	@$(BIN)/python tools/benchmark.py train gin/quickstart.gin gin/painted_birds_v1.gin gin/cub.gin --repeats=2 \
		--json=runs/benchmark_recipes.json

lint: venv
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
