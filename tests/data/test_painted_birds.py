import hashlib
import random

import numpy as np
import pytest
import tensorflow_datasets as tfds

from stackgan_tf.data.painted_birds import painter
from stackgan_tf.data.painted_birds.captions import captions
from stackgan_tf.data.painted_birds.painted_birds_dataset_builder import Builder, PaintedBirdsConfig
from stackgan_tf.data.painted_birds.species import BEAKS, COLORS, TRAINING_SPECIES, all_species, draw_attributes


@pytest.fixture(scope='module')
def birds(tmp_path_factory):
    config = PaintedBirdsConfig(name='few', load_size=76, training_images=1, validation_images=1, test_images=2)
    builder = Builder(config=config, data_dir=str(tmp_path_factory.mktemp('birds')))
    builder.download_and_prepare()
    return builder


def pose_of(label, seed):
    return all_species()[label], painter.draw_pose(all_species()[label], random.Random(seed))


def test_species_are_different_and_each_color_is_on_each_part_in_training():
    species = all_species()
    assert len(set(species)) == 200
    for part in range(4):
        assert {bird[part] for bird in species[:TRAINING_SPECIES]} == set(COLORS)
    assert all(len(set(bird[:4])) == 4 for bird in species)


def test_builder_has_what_cub_has(birds):
    assert birds.info.splits['train'].num_examples == 150
    assert birds.info.splits['validation'].num_examples == 30
    assert birds.info.splits['test'].num_examples == 40
    splits = [list(birds.as_dataset(split=split).as_numpy_iterator()) for split in ('train', 'validation', 'test')]
    labels = [{int(example['label']) for example in split} for split in splits]
    assert labels == [set(range(150)), set(range(150, 180)), set(range(180, 200))]
    train = splits[0]
    example = train[0]
    assert example['image'].shape == (76, 76, 3)
    assert example['captions'].shape == (10,)
    np.testing.assert_array_equal(example['attributes'], all_species()[int(example['label'])].indices())
    assert example['bounding_box'].shape == (4,)


def test_every_copy_is_the_same(birds):
    first = next(iter(birds.as_dataset(split='test').as_numpy_iterator()))
    number = int(first['label'])
    keys = range(2)
    again = []
    for key in keys:
        rng = random.Random(f'painted_birds {number} {key}')
        pose = painter.draw_pose(all_species()[number], rng)
        again.append(np.asarray(painter.paint(all_species()[number], pose, 76)))
    assert any(np.array_equal(first['image'], image) for image in again)


def test_images_and_captions_are_those_of_every_version():
    """Trained models and published scores depend on them; Pillow 10.1 and 12.3 paint the same."""
    images, texts = hashlib.sha256(), hashlib.sha256()
    for label in range(0, 200, 10):
        for kind in ('', ' mixed'):
            rng = random.Random(f'painted_birds{kind} {label} 0')
            species = draw_attributes(rng) if kind else all_species()[label]
            images.update(painter.paint(species, painter.draw_pose(species, rng), 76).tobytes())
            texts.update('\n'.join(caption.text for caption in captions(species, rng)).encode())
    assert images.hexdigest() == '8d43da933edc6183601ad4f9bd9d24fe14c1b4de368cac5e00cf1e170fb5d111'
    assert texts.hexdigest() == '204204f60a321c8d1c3a4647e1741322cb90e3f3303a4185bf89a37cb737c746'


def test_background_and_facing_of_an_image_and_of_its_mirror_image(birds):
    colors = np.array(list(painter.BACKGROUNDS.values()))
    found = set()
    for example in birds.as_dataset(split='test').as_numpy_iterator():
        corner = example['image'][0, 0].astype(int)
        nearest = np.abs(colors - corner).sum(1).argmin()
        np.testing.assert_array_equal(example['unnamed_attributes'], [[nearest, 0], [nearest, 1]])
        found.add(nearest)
    assert found == {0, 1, 2, 3}


def test_configurations_are_for_both_load_sizes():
    sizes = {config.name: config.load_size for config in Builder.BUILDER_CONFIGS}
    assert sizes == {'76px': 76, '76px_mixed': 76, '304px': 304, '304px_mixed': 304}
    assert tfds.builder('painted_birds/76px').name == 'painted_birds'


@pytest.mark.parametrize('seed', range(40))
def test_bird_and_beak_are_inside_every_crop(seed):
    """Everything that differs from the same image without the bird lies in the middle that all crops share."""
    species, pose = pose_of(seed * 5, seed)
    size = 152
    image = np.asarray(painter.paint(species, pose, size)).astype(int)
    left, top, right, bottom = painter.extent(species, pose)
    assert min(left, top) >= 12 / 76 - 1e-9
    assert max(right, bottom) <= 64 / 76 + 1e-9
    difference = np.abs(image - np.array(pose.background)).max(2) > 8
    rows = np.arange(size)[:, None] / size
    columns = np.arange(size)[None, :] / size
    outside = (columns < left - 0.01) | (columns > right + 0.01) | (rows < top - 0.01)
    branch = np.abs(np.array(painter.BRANCH) - image).max(2) < 60
    edge = rows > pose.center[1]  # the branch and its soft edges are in the lower half
    assert not (difference & outside & ~branch & ~edge).any()


def test_captions_name_the_attributes_of_the_species():
    for label in (0, 17, 160):
        species = all_species()[label]
        drawn = captions(species, random.Random(label))
        assert len(drawn) == 10
        assert all(drawn[0].names)
        for text, names in drawn:
            named = [value for value, is_named in zip(species, names, strict=True) if is_named]
            assert set(text.split()) & {*COLORS, *BEAKS} == set(named)


def test_mixed_training_images_have_any_attributes_but_those_of_test_species():
    config = PaintedBirdsConfig(name='few_mixed', load_size=76, training_images=40, test_images=1, mixed=True)
    examples = [example for _, example in Builder(config=config)._generate_examples(range(150), 1)]
    drawn = {tuple(example['attributes'].tolist()) for example in examples}
    assert {example['label'] for example in examples} == {-1}
    train, test = ({species.indices() for species in part} for part in (all_species()[:150], all_species()[150:]))
    assert not drawn & test
    assert drawn - train
    rng = random.Random(0)
    assert not {draw_attributes(rng) for _ in range(20_000)} & set(all_species()[150:])


def test_images_differ_in_pose_place_and_background():
    poses = [pose_of(0, seed)[1] for seed in range(30)]
    for values in zip(*[(p.scale, *p.center, p.tilt, p.branch_slope, p.branch_width) for p in poses], strict=True):
        assert len(set(values)) > 20
    assert len({pose.background for pose in poses}) > 20
