"""Builds a study: a page on which people rank the images of several models, without knowing which is whose.

A study is a folder with `page/`, to hand to raters, and `key.json`, which says which image is of which model and stays
with the author. The page is one HTML file and its images; it needs no server and no network.
"""

import dataclasses
import hashlib
import json
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from stackgan_tf.figures.image_grid import image_grid, write_png
from stackgan_tf.generator import Generator
from stackgan_tf.system.atomic_files import read_back, whole_folder, write_json
from stackgan_tf.system.errors import UserError

MOST_MODELS = len(string.ascii_lowercase)  # a key of the keyboard chooses each
PAGE, KEY = 'page', 'key.json'
_TEMPLATE = Path(__file__).parent / 'page.html'
_DATA = 'STUDY_DATA'  # in the template


@dataclasses.dataclass(frozen=True)
class Key:
    """Which image is of which model.

    Attributes:
        study: identifies the study; answers name it.
        models: their names, K.
        captions: of the trials, T.
        orders: of each trial, the model of each image from left to right: `[T][K]`.
    """

    study: str
    models: tuple[str, ...]
    captions: tuple[str, ...]
    orders: tuple[tuple[int, ...], ...]

    def write(self, path: Path) -> None:
        """Writes the key as JSON."""
        write_json(path, dataclasses.asdict(self))


def read_key(path: Path) -> Key:
    """Reads the key of a study.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    if not path.is_file():
        raise UserError(f'there is no {path}: name the folder that `build` made')
    with read_back(path):
        read = json.loads(path.read_text(encoding='utf-8'))
        orders = tuple(tuple(order) for order in read['orders'])
        return Key(read['study'], tuple(read['models']), tuple(read['captions']), orders)


def study_images(model: Generator, embeddings: np.ndarray | None, trials: int, count: int, seed: int) -> np.ndarray:
    """The images of a model in a study; image p of trial t has the seed `seed + count * t + p`, of every model.

    Args:
        model: of any kind.
        embeddings: of the captions, `[T, E]`; None for an unconditional model.
        trials: T.
        count: P, images of each caption.
        seed: the first seed.

    Returns:
        uint8 `[T, P, s, s, 3]`.
    """
    images = []
    for trial in range(trials):
        given = None if embeddings is None else np.repeat(embeddings[trial][None], count, axis=0)
        seeds = range(seed + count * trial, seed + count * (trial + 1))
        images.append(model.generate_every_size(seeds, given)[model.sizes[-1]])
    return np.stack(images)


def build_study(folder: Path, images: Mapping[str, np.ndarray], captions: Sequence[str], seed: int) -> Key:
    """Writes a study.

    Args:
        folder: does not exist yet.
        images: of each model, uint8 `[T, P, s, s, 3]`: P images of each caption; s may differ between models.
        captions: of the trials, T.
        seed: of the orders of trials and of images.

    Raises:
        UserError: the folder exists, or there are fewer than two models or more than letters.
    """
    if folder.exists():
        raise UserError(f'{folder} exists already: name a new --output')
    if not 2 <= len(images) <= MOST_MODELS:
        raise UserError(f'a study compares 2 to {MOST_MODELS} models, not {len(images)}')
    rng = np.random.default_rng(seed)
    trials = rng.permutation(len(captions))
    orders = tuple(tuple(int(each) for each in rng.permutation(len(images))) for _ in trials)
    models, shuffled = tuple(images), tuple(captions[trial] for trial in trials)
    hashed = hashlib.sha256(json.dumps([models, shuffled, orders]).encode())
    for each in images.values():
        hashed.update(each.tobytes())
    key = Key(hashed.hexdigest()[:16], models, shuffled, orders)
    with whole_folder(folder) as scratch:
        shown = []
        for number, (trial, order) in enumerate(zip(trials, orders, strict=True)):
            files = [f'images/{number:04d}_{letter}.png' for letter in string.ascii_lowercase[: len(order)]]
            for file, model in zip(files, order, strict=True):
                write_png(scratch / PAGE / file, image_grid(images[models[model]][trial]))
            shown.append({'caption': shuffled[number], 'images': files})
        page = page_html({'study': key.study, 'trials': shown})
        (scratch / PAGE / 'index.html').write_text(page, encoding='utf-8')
        key.write(scratch / KEY)
    return key


def page_html(data: Mapping[str, object]) -> str:
    """The page with its data, which captions of other people cannot leave."""
    embedded = json.dumps(data).replace('<', '\\u003c')
    return _TEMPLATE.read_text(encoding='utf-8').replace(_DATA, embedded)
