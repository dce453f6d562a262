"""A run whose numbers are no longer finite, with a model that diverges at a given step."""

import json

import keras
import pytest
import tensorflow as tf
from captioned import Captioned

from stackgan_tf.models.trained_model import Rate, TrainedModel, variables_of
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.divergence import DivergedError, check_record
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run

NAN, FAST = float('nan'), 0.1


class Fragile(TrainedModel):
    """Its one weight falls by the rate with each step; at `breaks_at` it diverges, unless the rate is low enough."""

    sizes = (8,)

    def __init__(self, breaks_at, what, until=FAST):
        super().__init__(seed=0, batch_size=3)
        self.breaks_at, self.what, self.until = breaks_at, what, until
        self.network = keras.layers.Dense(1, use_bias=False, kernel_initializer='ones')
        self.network.build((None, 1))
        optimizer = keras.optimizers.SGD(Rate(FAST))
        optimizer.build(self.network.trainable_variables)
        self.set_up(optimizer, ('steady_loss', 'generator_loss_8'))

    def checkpoint_variables(self):
        return {**super().checkpoint_variables(), 'network': variables_of(self.network)}

    def networks(self):
        return {'counter': self.network}

    def forward_passes(self):
        return []

    def train_step(self, batch):
        now = self.step + 1 == self.breaks_at
        broken = tf.where(now & (self.optimizer.learning_rate >= self.until), NAN, 0.0)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self.network(tf.ones((1, 1))))
            scaled = loss + (broken * loss if self.what == 'weights' else 0.0)
        self.apply_gradients(self.optimizer, tape, scaled, self.network.trainable_variables)
        self.record({'steady_loss': loss, 'generator_loss_8': loss + (broken if self.what == 'loss' else 0.0)})
        return {'steady_loss': loss}


def train(folder, breaks_at, what, until=FAST, steps=8, **settings):
    phase = Phase('phase', lambda: Fragile(breaks_at, what, until), Captioned, steps)
    Run([phase], 2, 4, 0, **settings).train(RunDirectory(folder, 'SEED = 0\n'))


def weight(folder, step=None):
    model = Fragile(0, '')
    Checkpoints(folder / 'phase' / 'checkpoints').restore(model.checkpoint_variables())
    return float(model.network.kernel[0, 0])


def reported(folder):
    return [json.loads(line)['step'] for line in (folder / 'phase' / 'metrics.jsonl').read_text().splitlines()]


@pytest.mark.parametrize(
    ('breaks_at', 'what', 'first', 'last', 'reports'),
    [
        (7, 'loss', 'generator_loss_8 is not finite after step 7', 'the checkpoint of step 4', [2, 4, 6]),
        (7, 'weights', 'weights of the counter are not finite after step 7', 'the checkpoint of step 4', [2, 4, 6]),
        (3, 'loss', 'generator_loss_8 is not finite after step 3', 'the beginning', [2]),
        # Not yet in a loss: no checkpoint holds the weights that are not finite.
        (8, 'weights', 'weights of the counter are not finite after step 8', 'the checkpoint of step 4', [2, 4, 6]),
    ],
)
def test_a_run_that_diverges_stops_and_names_the_first_cause(tmp_path, breaks_at, what, first, last, reports):
    with pytest.raises(UserError) as raised:
        train(tmp_path, breaks_at, what)
    assert str(raised.value) == (
        f'phase: {first}. Stopped at {last}: set Recipe.rollbacks = 1 to resume from there at 0.5 times the learning '
        'rates, or another recipe in a new --workdir'
    )
    assert reported(tmp_path) == reports
    assert Checkpoints(tmp_path / 'phase' / 'checkpoints').steps() == ([4] if breaks_at > 4 else [])


def test_a_run_with_rollbacks_resumes_at_a_lower_rate(tmp_path, capsys):
    train(tmp_path, 7, 'weights', until=0.03, rollbacks=2)
    said = capsys.readouterr().out
    assert said.count('weights of the counter are not finite after step 7; resuming from the checkpoint of step 4') == 2
    assert 'at 0.25 times the learning rates' in said
    assert reported(tmp_path) == [2, 4, 6, 8]
    # Four steps at the first rate, four at a quarter of it.
    assert weight(tmp_path) == pytest.approx(1 - 4 * 0.1 - 4 * 0.025)
    # The resumed run keeps the rate.
    train(tmp_path, 7, 'weights', steps=12, rollbacks=2)
    assert weight(tmp_path) == pytest.approx(1 - 4 * 0.1 - 8 * 0.025)


def test_a_run_stops_after_its_last_rollback(tmp_path):
    with pytest.raises(UserError, match=r'Recipe.rollbacks = 2 to resume from there at 0.01 times'):
        train(tmp_path, 7, 'loss', until=0.0, rollbacks=1, rollback_rate=0.1)
    assert Checkpoints(tmp_path / 'phase' / 'checkpoints').steps() == [4]
    train(tmp_path, 0, 'loss')
    assert weight(tmp_path) == pytest.approx(1 - 8 * 0.1)


def test_the_error_names_everything_that_is_not_finite():
    with pytest.raises(DivergedError, match='kl_loss, color_loss are not finite after step 1,200'):
        check_record(1200, {'kl_loss': NAN, 'discriminator_loss_8': 1.0, 'color_loss': float('inf')})
    check_record(1200, {'kl_loss': 0.0})
