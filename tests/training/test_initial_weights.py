import keras
import numpy as np
import pytest
from small_models import STAGE_ONE, STAGE_TWO, TREE, build
from tiny_backbone import tiny_backbone

from stackgan_tf.models.class_classifier import ClassClassifier
from stackgan_tf.models.stackgan_v1 import StageI, StageII
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.networks import image_encoder
from stackgan_tf.networks.descriptions import describe_network
from stackgan_tf.system.errors import UserError
from stackgan_tf.training import initial_weights
from stackgan_tf.training.initial_weights import copy_matching, load_initial_weights, named_variables
from stackgan_tf.training.phase import Phase

CONDITION = {'embedding_dimension': 6, 'condition_dimension': 3, 'whitening': True}


def tree(**settings):
    return build(StackGANv2, **{**TREE, **CONDITION, **settings})


def encoder():
    return TextMatching(
        sizes=(16,), batch_size=4, widths=(4, 4, 4), recurrence='relu', dimension=6, initial_range=0.0, image_width=4
    )


def phase(source):
    return Phase('tree', tree, None, 4, initial_weights=source)


def stage_two():
    first = build(StageI, **STAGE_ONE, **CONDITION)
    return build(StageII, first.generator_ema, **STAGE_TWO, **CONDITION)


def tower(monkeypatch):
    monkeypatch.setitem(image_encoder.BACKBONES, 'Tiny', tiny_backbone)
    return ClassClassifier(classes=3, sizes=(16,), batch_size=4, image_tower='Tiny', tower_size=20)


@pytest.mark.parametrize('make', [tree, encoder, stage_two, tower])
def test_every_variable_of_a_network_has_a_name(make, monkeypatch):
    model = make(monkeypatch) if make is tower else make()
    for network in model.checkpoint_networks().values():
        named = named_variables(network)
        assert {id(variable) for variable in named.values()} == {id(variable) for variable in network.variables}
        assert len(named) == len(network.variables)


def test_what_matches_by_name_and_shape_is_taken():
    source, same, wider = tree().generator, tree().generator, tree(sizes=(8, 16, 32)).generator
    source.whiten.matrix.assign(2 * np.eye(6))
    count = copy_matching(source, same)
    assert count == len(source.variables) - len(source.whiten.variables)
    for name, variable in named_variables(same).items():
        if not name.startswith('whiten/'):
            np.testing.assert_array_equal(variable, named_variables(source)[name])
    np.testing.assert_array_equal(same.whiten.matrix, np.eye(6))  # fitted to the new captions
    # A third scale is new; the first two are taken.
    assert copy_matching(source, wider) == count
    assert copy_matching(source, tree(generator_width=16).generator) < count


def test_a_phase_begins_with_the_weights_of_another_model(monkeypatch, capsys):
    source, model = tree(), tree()
    networks = {**source.checkpoint_networks(), 'discriminator_16': None}
    monkeypatch.setattr(initial_weights, '_source_network', lambda _, name, __: networks[name])
    load_initial_weights(phase('preset:any'), model)
    np.testing.assert_array_equal(model.generator.augment.dense.kernel, source.generator.augment.dense.kernel)
    np.testing.assert_array_equal(model.discriminators[0].first.kernel, source.discriminators[0].first.kernel)
    said = capsys.readouterr().out
    assert 'tree: begins with the weights of preset:any: generator (' in said
    assert said.strip().endswith('; new: discriminator_16')


def test_stage_two_begins_with_the_average_of_another_and_keeps_its_stage_one(monkeypatch):
    source, model = stage_two(), stage_two()
    before = [variable.numpy().copy() for variable in model.stage_one.variables]
    networks = source.checkpoint_networks()

    def described(_, name):
        yield describe_network(networks[name]), lambda: networks[name]

    monkeypatch.setattr(initial_weights, '_described', described)
    load_initial_weights(phase('preset:any'), model)
    for network in (model.generator, model.trained_ema):
        for name, variable in named_variables(network).items():
            if not name.startswith('whiten/'):
                np.testing.assert_array_equal(variable, named_variables(source.trained_ema)[name])
    for variable, value in zip(model.stage_one.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_sources_that_are_not_there_or_do_not_fit(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"tree/Phase\.initial_weights = '.*nothing' is neither a run nor preset:NAME"):
        load_initial_weights(phase(str(tmp_path / 'nothing')), tree())
    monkeypatch.setattr(initial_weights, '_source_network', lambda *_: keras.Sequential())
    with pytest.raises(UserError, match='has nothing that fits StackGANv2'):
        load_initial_weights(phase('preset:any'), tree())
