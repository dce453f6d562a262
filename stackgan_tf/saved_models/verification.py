"""Verifies an export before it appears under its name: a fresh process must reproduce the network's outputs."""

import dataclasses
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.saved_models.examples import CAPTIONS, embeddings_of, example_request
from stackgan_tf.seeded_images import CONDITIONING_STREAM, image_name, noise_of_seeds
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.text_encoder import TextEncoder

_SCRIPT = Path(__file__).with_name('fresh_process.py')
_ROWS = 2
# What another graph of the same network may differ by.
_LEVELS = 1  # of 255, since a pixel may be rounded differently
_LATENT = _LEVELS / 127.5  # the same in images in [-1, 1]
_RELATIVE = 1e-4  # of the largest value of embeddings
_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Trial:
    """The inputs and expected outputs of one signature of an export.

    Attributes:
        signature: its name.
        inputs: `[N, ...]` by name.
        outputs: `[N, ...]` by name; PNG files as decoded images.
        tolerance: the largest difference of an output of the export.

    Raises:
        UserError: an expected output is not finite: images of NaN are alike in uint8.
    """

    signature: str
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    tolerance: float = _LEVELS

    def __post_init__(self) -> None:
        """Checks the expected outputs."""
        for name, expected in self.outputs.items():
            if not np.isfinite(expected).all():
                raise UserError(
                    f'the model gives {name} with NaN or infinite numbers, so it is not exported: train it again, or '
                    'export an earlier checkpoint'
                )


def generator_check(generator: NetworkGenerator) -> Callable[[Path], None]:
    """The check of a generator's exports: the images of two requests, through all signatures that give images.

    Raises:
        UserError: the images of the generator are not finite.
    """
    request = example_request(generator, _ROWS)
    embeddings = embeddings_of(generator, request)
    with tf.device('/CPU:0'):  # the device of the fresh process on any machine
        latent = _latent_trial(generator, request, embeddings)
        images = generator.generate_every_size(request['seed'].tolist(), embeddings)
    every_size = {image_name(size): of_size for size, of_size in images.items()}
    largest = {'image_bytes': images[generator.sizes[-1]]}
    trials = [latent, Trial('images', request, every_size), Trial('serving_default', request, largest)]
    return lambda export: check_export(export, trials)


def _latent_trial(generator: NetworkGenerator, request: dict[str, np.ndarray], embeddings: np.ndarray | None) -> Trial:
    """The images of a request as float32, from the same noise as from its seeds."""
    inputs = {'noise': noise_of_seeds(request['seed'], generator.noise_dimension).numpy()}
    if embeddings is not None:
        condition = {'label': request['label']} if 'label' in request else {'embedding': embeddings}
        noise = noise_of_seeds(request['seed'], generator.condition_dimension, CONDITIONING_STREAM)
        inputs |= condition | {'conditioning_noise': noise.numpy()}
    images = generator.latent(*inputs.values())
    return Trial('latent', inputs, {image_name(size): image.numpy() for size, image in images.items()}, _LATENT)


def encoder_check(encoder: TextEncoder) -> Callable[[Path], None]:
    """The check of a text encoder's exports: the embeddings of some captions."""
    captions = np.array([caption.encode() for caption in CAPTIONS])
    with tf.device('/CPU:0'):
        vectors = encoder(tf.constant(captions)).numpy()
    trial = Trial('embed', {'caption': captions}, {'embedding': vectors}, _RELATIVE * float(np.abs(vectors).max()))
    return lambda export: check_export(export, [trial])


def check_export(export: Path, trials: Sequence[Trial]) -> None:
    """Loads an export in a fresh process and compares its outputs, for all rows together and for each alone.

    Raises:
        UserError: the export cannot be loaded, or has other outputs.
    """
    requests = {f'{trial.signature}/{name}': array for trial in trials for name, array in trial.inputs.items()}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / 'requests.npz', **requests)  # type: ignore[arg-type]
        _run(export, Path(folder))
        with np.load(Path(folder) / 'outputs.npz', allow_pickle=False) as file:
            outputs = dict(file)
    for trial in trials:
        for name, expected in trial.outputs.items():
            found, alone = (outputs.get(f'{trial.signature}/{name}{suffix}') for suffix in ('', '/alone'))
            one_by_one = 0.0 if expected.dtype == np.uint8 else trial.tolerance  # of `alone`
            if not _alike(found, expected, trial.tolerance) or not _alike(alone, found, one_by_one):
                raise UserError(
                    f'loaded in a fresh process, {trial.signature} of the export gives another {name} than the '
                    'network: nothing was kept; please report it with the recipe'
                )


def _run(export: Path, folder: Path) -> None:
    """Runs the fresh process: on the CPU, with the packages of this one, of which it imports TensorFlow and NumPy.

    Raises:
        UserError: the process fails.
    """
    # Not -I, -E or -s: TensorFlow may be installed for the user, or be found through PYTHONPATH, which may be relative.
    files = [str(folder / name) for name in ('requests.npz', 'outputs.npz')]
    command = [sys.executable, '-P', str(_SCRIPT), str(export.absolute()), *files]
    environment = {**os.environ, 'CUDA_VISIBLE_DEVICES': '-1'}
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UserError(f'the export did not answer within {_SECONDS} seconds: nothing was kept') from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or [f'status {error.returncode}'])[-1]
        raise UserError(f'the export cannot be used by a fresh process ({reason}): nothing was kept') from error


def _alike(found: np.ndarray | None, expected: np.ndarray | None, tolerance: float) -> bool:
    """Whether two outputs differ by at most `tolerance`; NaN differs from everything."""
    if found is None or expected is None or found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    return bool(np.abs(found.astype(float) - expected.astype(float)).max() <= tolerance)
