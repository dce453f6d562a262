import itertools
import re
from pathlib import Path

import pytest

from stackgan_tf.recipe.dry_run import describe
from stackgan_tf.recipe.recipe import known_recipes, read_recipe, read_run
from stackgan_tf.system.errors import UserError

QUICKSTART = 'gin/painted_birds_unconditional.gin'


@pytest.mark.parametrize('name', known_recipes())
def test_every_recipe_reads_and_describes_itself(name):
    settings = ["IMAGE_ROOT = '/my/images'"] if 'image_folder' in name else []
    if 'classes' in name:
        settings.append('CLASSES = 10')
    if name != 'gin/text/cub.gin':  # the Inception network of the others takes seconds each, and tests nothing more
        settings.append('TextMatching.image_tower = ""')
    recipe = read_recipe([name], settings)
    text = describe(recipe)
    for phase in recipe.run.phases:
        assert f'Phase {phase.name}: {phase.steps:,} steps' in text
    header = '\n'.join(itertools.takewhile(lambda line: line.startswith('#'), Path(name).read_text().splitlines()))
    assert f'python -m stackgan_tf.train --gin_file={name}' in header


@pytest.mark.parametrize('name', [name for name in known_recipes() if 'birds' in name or 'quickstart' in name])
def test_settings_of_painted_birds_are_not_chosen_on_the_test(name):
    splits = re.findall(r"TfdsImages\.split = '(.*)'", read_recipe([name]).config)
    assert set(splits) <= {'validation'}


def test_there_are_recipes():
    assert {'gin/quickstart.gin', 'gin/lsun_bedroom.gin', 'gin/image_folder.gin'} <= set(known_recipes())


def test_dry_run_counts_parameters_and_memory():
    text = describe(read_recipe([QUICKSTART], ['SIZES = (64,)', 'TreeDiscriminators.width = 64']))
    assert 'discriminator 64          2,763,777 parameters' in text  # the released one without its normalization
    assert 'GB in all, estimated' in text


def test_describing_a_recipe_allocates_no_networks():
    # 1 TB of weights and moments, if they were made.
    text = describe(read_recipe([QUICKSTART], ['StackGANv2.generator_width = 16384']))
    size = float(re.search(r'weights and Adam +([\d.]+) GB', text)[1])
    assert size > 900


def test_recipes_are_found_from_any_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_recipe([QUICKSTART]).run.phases[0].name == 'tree'


def test_a_recipe_includes_its_neighbor_from_any_directory(tmp_path, monkeypatch):
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'mine' / 'base.gin').write_text(f"include '{QUICKSTART}'\nSTEPS = 40\n")
    (tmp_path / 'elsewhere' / 'base.gin').write_text('STEPS = 50\n')
    (tmp_path / 'mine' / 'mine.gin').write_text("include 'base.gin'\n")
    monkeypatch.chdir(tmp_path / 'elsewhere')
    assert read_recipe([str(tmp_path / 'mine' / 'mine.gin')]).run.phases[-1].steps == 40
    assert read_recipe(['../mine/mine.gin']).run.phases[-1].steps == 40


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'utf-8'])
def test_byte_order_marks_and_line_ends(tmp_path, encoding):
    text = f"# caf\xe9\r\ninclude '{QUICKSTART}'\r\nSTEPS = 40\r\n"
    (tmp_path / 'mine.gin').write_bytes(text.encode(encoding))
    assert read_recipe([str(tmp_path / 'mine.gin')]).run.phases[-1].steps == 40


def test_settings_override_files_and_later_files_earlier_ones(tmp_path):
    (tmp_path / 'mine.gin').write_text('STEPS = 40\nTICK = 20\n')
    recipe = read_recipe([QUICKSTART, str(tmp_path / 'mine.gin')], ['TICK = 10', 'CHECKPOINT_EVERY = 20'])
    assert (recipe.run.phases[0].steps, recipe.run.tick) == (40, 10)


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        ('TextMatching.widths = (8, 8)', 'is of the wrong type: it takes tuple[int, int, int]'),
        ("TextMatching.recurrence = 'lstm'", "must be 'gru' or 'relu'"),
        ('TextMatching.rate = -1.0', 'is too small'),
        ('TextMatching.dimension = 0', 'is too small'),
    ],
)
def test_mistakes_about_text_encoders(setting, message):
    with pytest.raises(UserError) as raised:
        read_recipe(['gin/text/painted_birds.gin'], [setting])
    assert message in str(raised.value)


def test_a_split_of_tfds_may_be_a_slice():
    read_recipe([QUICKSTART], ["TfdsImages.split = 'train[:10%]'"])


def test_a_runs_configuration_reads_back_the_same(tmp_path):
    recipe = read_recipe([QUICKSTART], ['STEPS = 7'])
    (tmp_path / 'config.gin').write_text(recipe.config)
    again = read_run(tmp_path)
    assert again.config == recipe.config
    assert again.run.phases[0].steps == 7


def test_model_gets_the_recipes_settings():
    settings = ['SIZES = (8, 16)', 'BATCH_SIZE = 2', 'SEED = 5', 'StackGANv2.generator_width = 8']
    model = read_recipe([QUICKSTART], settings).run.phases[0].model()
    assert (model.sizes, model.batch_size, model.seed) == ((8, 16), 2, 5)
    assert model.generator.generator_width == 8


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        ('STEP = 3', 'nothing in this recipe uses STEP: did you mean STEPS'),
        ('WIDGETS = 3', 'nothing in this recipe uses WIDGETS: this recipe has BATCH_SIZE'),
        ("STEPS = 'many'", "STEPS = 'many' is of the wrong type: it takes int"),
        ('STEPS = 2.5', 'STEPS = 2.5 is of the wrong type'),
        ('STEPS = True', 'STEPS = True is of the wrong type'),
        ('STEPS = 0', 'STEPS = 0 is too small'),
        ('SIZES = (16, 48)', 'must double: after 16 comes 32, not 48'),
        ('SIZES = (4, 8)', 'the smallest is 8'),
        ('SIZES = (16, 32.0)', 'SIZES = (16, 32.0) is of the wrong type'),
        ('SIZES = 64', 'SIZES = 64 is of the wrong type'),
        ('StackGANv2.colour_weight = 3', "doesn't have a parameter named 'colour_weight'"),
        ('StackGANv3.seed = 3', "No configurable matching 'StackGANv3'"),
        ('Optimization.generator_rate = -1.0', 'Optimization.generator_rate = -1.0 is too small'),
        ("ColorConsistency.norm = 'l1'", "must be 'released' or 'paper'"),
        ('Optimization.accumulated_steps = 0', 'Optimization.accumulated_steps = 0 is too small: the least is 1'),
        ('ColorConsistency.mean_weight = -1.0', 'ColorConsistency.mean_weight = -1.0 is too small'),
        ('Optimization.averaging_decay = 1.5', 'averaging_decay = 1.5 must be less than 1'),
        ('DiscriminatorInputs.r1_weight = 1e999', 'DiscriminatorInputs.r1_weight = inf must be a finite number'),
        ('tre/Conditioning.kl_weight = 1.0', 'tre/Conditioning.kl_weight has no effect: this recipe has Conditioning'),
        (
            'tree/Conditioning.kl_weight = 1.0',
            'tree/Conditioning.kl_weight has no effect: this recipe has Conditioning',
        ),
        (
            'StageDiscriminators.width = 8',
            'StageDiscriminators.width has no effect: nothing in this recipe uses @StageD',
        ),
        ('StackGANv2.seed = %SEDE', 'StackGANv2.seed needs SEDE'),
        ('TICK = 360', 'CHECKPOINT_EVERY = 600 must be a multiple of TICK = 360, for example 720'),
        (
            "Recipe.precision = 'bfloat16'",
            "must be 'float32' or 'mixed_bfloat16' or 'mixed_float16' or 'onednn_bfloat16'",
        ),
        ('Recipe.steps_per_execution = 500', 'Recipe.steps_per_execution = 500 must be 1 to TICK = 300'),
        ('STEPS =', "'STEPS =': its value cannot be read"),
        ('tree/Phase.name = tree', "'tree/Phase.name = tree': its value cannot be read; text needs quotes"),
        ('SEED = 5000000000', 'SEED = 5000000000 is too large: the most is 2147483647'),
        ("tree/Phase.data = 'birds'", 'tree/Phase.data = '),
    ],
)
def test_mistakes_are_reported_in_one_line(setting, message):
    with pytest.raises(UserError) as raised:
        read_recipe([QUICKSTART], [setting])
    assert message in str(raised.value)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        ('FLIP = False', 'ImageFolder.root needs IMAGE_ROOT: set it, for example --gin_param="IMAGE_ROOT = '),
        ('IMAGE_ROOT = 3', 'IMAGE_ROOT = 3 is of the wrong type'),
        ("AUGMENTATION = 'color'", "AUGMENTATION = 'color' must be a list of some of 'color', 'translation', 'cutout'"),
        ("AUGMENTATION = ('colour',)", "must be a list of some of 'color'"),
        ('FLIP = 1', 'FLIP = 1 is of the wrong type'),
        ('ImageFolder.test_fraction = 1.0', 'must be less than 1'),
        ('ImageFolder.cache_gigabytes = 0.0', 'must be more than 0'),
    ],
)
def test_mistakes_about_image_folders(setting, message):
    settings = [setting] if setting.startswith(('FLIP = F', 'IMAGE')) else ["IMAGE_ROOT = '/my/images'", setting]
    with pytest.raises(UserError) as raised:
        read_recipe(['gin/image_folder.gin'], settings)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        ('STAGE_TWO_SIZE = 128', 'Stage-I makes 16 pixels, of which StageII.size is 32 or 64, not 128'),
        ('STAGE_TWO_SIZE = 24', 'STAGE_TWO_SIZE = 24 must be a power of two'),
        (
            'stage_two/Conditioning.embedding_dimension = 3',
            'both stages read the same embeddings: embedding_dimension = 512 in Stage-I, 3 in Stage-II',
        ),
        ("stage_two/Phase.stage_one_weights = 'stage_two'", 'is not a phase before it (features, encoder, stage_one)'),
        ('stage_two/Phase.stage_one = None', 'stage_two/Phase.stage_one_weights is of no use alone'),
        ('stage_two/Phase.model = @StackGANv2', 'stage_two takes over no Stage-I: leave out stage_two/Phase.stage_one'),
        ('stage_two/Optimization.halve_every = 5', 'halve_every = 5 are both set: one must be 0'),
    ],
)
def test_mistakes_about_two_stages(setting, message):
    with pytest.raises(UserError) as raised:
        describe(read_recipe(['gin/painted_birds_v1.gin'], [setting]))
    assert message in str(raised.value).splitlines()[0]  # gin may add a line, which the commands leave out


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(UserError, match=r'no recipe gin/nothing\.gin: there are gin/.*, gin/quickstart\.gin,'):
        read_recipe(['gin/nothing.gin'])


def test_a_mistake_leaves_nothing_for_the_next_recipe():
    with pytest.raises(UserError):
        read_recipe([QUICKSTART], ['STEP = 3'])
    assert 'STEP =' not in read_recipe([QUICKSTART]).config


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(UserError, match='is no run'):
        read_run(tmp_path)


def test_a_recipe_without_data_says_what_to_set():
    with pytest.raises(UserError, match=r'does not set tree/Phase.data: gin/quickstart.gin shows how'):
        read_recipe(['gin/base/stackgan_v2.gin'])


def test_a_data_set_without_its_name_says_what_to_set():
    with pytest.raises(UserError, match=r'does not set TfdsImages.name'):
        read_recipe(['gin/base/stackgan_v2.gin'], ['tree/Phase.data = @TfdsImages'])
