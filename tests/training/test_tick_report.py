import json
import time

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_accumulator import TENSORS, EventAccumulator

from stackgan_tf.system.errors import UserError
from stackgan_tf.training.divergence import DivergedError
from stackgan_tf.training.tick_report import Clock, TickReport, duration, status_line, tag

RECORD = {'color_loss': 0.1, 'discriminator_loss_8': 1.2, 'generator_loss_8': 0.7, 'confidence_real_8': 0.6}


def test_time_that_was_left_out_does_not_count():
    clock = Clock(0.0)
    clock.step_done(1)
    time.sleep(0.2)
    clock.leave_out(0.19)
    assert clock.steps_per_second(11) > 60


def test_status_line_says_where_how_fast_and_how_long():
    line = status_line('tree', 100, 400, {'images_per_second': 64.0, **RECORD}, pace=2.0)
    assert line.startswith('tree 100/400  64 images/s  0:02:30 left')
    assert line.endswith('D 1.20  G 0.70  color 0.10')


def test_duration():
    assert [duration(s) for s in (0, 59.6, 3725)] == ['0:00:00', '0:01:00', '1:02:05']


def test_metrics_and_tensorboard(tmp_path):
    report = TickReport(tmp_path, 'tree', 40, 0)
    report.report(20, RECORD, 2.0, 8)
    line = json.loads((tmp_path / 'metrics.jsonl').read_text())
    assert line == {'step': 20, 'images_per_second': 16.0, **RECORD}
    (events,) = tmp_path.glob('events.out.tfevents.*')
    tags = {value.tag for event in tf.compat.v1.train.summary_iterator(str(events)) for value in event.summary.value}
    assert tags == {
        'throughput/images per second',
        'color/loss',
        'adversarial/discriminator 8 px',
        'adversarial/generator 8 px',
        'confidence/real 8 px',
    }


def test_everything_that_is_measured_is_in_a_named_group():
    tags = {
        'kl_loss': 'conditioning/kl',
        'matching_loss': 'text and image/loss',
        'confidence_mismatch_128': 'confidence/mismatch 128 px',
        'generator_loss_64_1': 'adversarial/generator 64 px 1',
        'zero_shot_accuracy': 'scores/zero_shot_accuracy',
        'fid_500': 'scores/fid_500',
    }
    assert {name: tag(name) for name in tags} == tags


def test_resuming_drops_later_reports(tmp_path):
    report = TickReport(tmp_path, 'tree', 80, 0)
    for step in (20, 40, 60):
        report.report(step, RECORD, 2.0, 8)
    TickReport(tmp_path, 'tree', 80, 40).report(60, RECORD, 2.0, 8)
    steps = [json.loads(line)['step'] for line in (tmp_path / 'metrics.jsonl').read_text().splitlines()]
    assert steps == [20, 40, 60]


def test_reports_that_were_edited_into_nonsense_are_named(tmp_path):
    (tmp_path / 'metrics.jsonl').write_text('{"step": 20}\n{"step"\n')
    with pytest.raises(UserError, match=r'metrics\.jsonl cannot be read any more'):
        TickReport(tmp_path, 'tree', 40, 20)


def test_tensorboard_forgets_what_comes_again(tmp_path):
    first = TickReport(tmp_path, 'tree', 80, 0)
    for step in (20, 40, 60):
        first.report(step, RECORD, 2.0, 8)
    (events,) = tmp_path.glob('events*')
    events.rename(tmp_path / 'events.out.tfevents.0')  # read first, also if both are of this second
    TickReport(tmp_path, 'tree', 80, 40).report(60, {**RECORD, 'color_loss': 0.2}, 2.0, 8)
    events = EventAccumulator(str(tmp_path), size_guidance={TENSORS: 0}).Reload()
    values = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors('color/loss')]
    assert values == [(20, pytest.approx(0.1)), (40, pytest.approx(0.1)), (60, pytest.approx(0.2))]


def test_lasting_concerns_are_reported_also_after_resuming(tmp_path, capsys):
    worse = {**RECORD, 'discriminator_lead_8': 0.9}
    report = TickReport(tmp_path, 'tree', 200, 0)
    for step in (20, 40, 60, 80):
        report.report(step, worse, 2.0, 8)
    assert '!' not in capsys.readouterr().out
    TickReport(tmp_path, 'tree', 200, 80).report(100, worse, 2.0, 8)
    assert capsys.readouterr().out.endswith('  ! discriminator 8 far ahead\n')
    events = EventAccumulator(str(tmp_path), size_guidance={TENSORS: 0}).Reload()
    (concern,) = events.Tensors('health/concerns')
    assert (concern.step, concern.tensor_proto.string_val) == (100, [b'discriminator 8 far ahead'])
    assert 'health/discriminator lead 8 px' in events.Tags()['tensors']


def test_a_loss_that_is_not_finite_is_no_tick(tmp_path):
    with pytest.raises(DivergedError, match='generator_loss_8 is not finite after step 20'):
        TickReport(tmp_path, 'tree', 40, 0).report(20, {**RECORD, 'generator_loss_8': float('nan')}, 2.0, 8)
    assert not (tmp_path / 'metrics.jsonl').exists()


def test_pace_leaves_out_the_first_step():
    clock = Clock(100.0)
    assert clock.trained_seconds >= 100.0
    clock.step_done(1)
    assert clock.steps_per_second(1) == 0.0
