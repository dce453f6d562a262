import numpy as np
import pytest

from stackgan_tf.training.health import LONG, concerns, leads, sample_diversity

WELL = {'discriminator_lead_8': 0.3, 'discriminator_lead_16': 0.4, 'sample_diversity': 20.0}


def test_the_lead_is_between_real_and_generated_images():
    record = {'confidence_real_8': 0.75, 'confidence_generated_8': 0.25, 'confidence_match_8': 0.4}
    assert leads(record) == {'discriminator_lead_8': 0.5}
    # A discriminator without an unconditional term has the confidence of matching pairs alone.
    assert leads({'confidence_match_16': 0.75, 'confidence_generated_16': 0.5}) == {'discriminator_lead_16': 0.25}
    assert leads({'matching_loss': 0.1}) == {}


def test_diversity_is_the_distance_between_images_of_one_caption():
    gray = np.repeat(np.arange(8, dtype=np.uint8) * 10, 8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    assert sample_diversity(gray, conditional=True) == 0
    assert sample_diversity(gray, conditional=False) > 20
    rows = np.tile(np.array([0, 6] * 4, np.uint8), 8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    assert sample_diversity(rows, conditional=True) == pytest.approx(6 * 32 / 56)


@pytest.mark.parametrize(
    ('changed', 'expected'),
    [
        ({}, []),
        ({'discriminator_lead_16': 0.9}, ['discriminator 16 far ahead']),
        ({'discriminator_lead_8': 0.01}, ['discriminator 8 sees no difference']),
        ({'discriminator_lead_8': -0.3}, ['discriminator 8 sees no difference']),
        ({'discriminator_lead_8': 0.01, 'confidence_match_8': 0.6, 'confidence_mismatch_8': 0.2}, []),
        (
            {'discriminator_lead_8': 0.01, 'confidence_match_8': 0.5, 'confidence_mismatch_8': 0.49},
            ['discriminator 8 sees no difference'],
        ),
        ({'sample_diversity': 6.0}, ['samples become alike']),
        ({'sample_diversity': 8.0}, []),
        (
            {'sample_diversity': 1.0, 'discriminator_lead_8': 0.99},
            ['discriminator 8 far ahead', 'samples become alike'],
        ),
    ],
)
def test_lasting_concerns_are_reported(changed, expected):
    ticks = [WELL] * 3 + [{**WELL, **changed}] * LONG
    assert concerns(ticks) == expected
    assert concerns(ticks[:-1]) == []  # not long enough
    assert concerns([*ticks, WELL]) == []  # over


def test_images_that_were_never_different_have_not_collapsed():
    assert concerns([{'sample_diversity': 0.1}] * 20) == []


def test_other_models_have_no_such_concerns():
    assert concerns([{'matching_loss': 0.5}] * 20) == []
