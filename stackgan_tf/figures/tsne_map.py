"""A map of many images by t-SNE, as in the paper's figure of collapsed modes: similar images are neighbors.

Collapsed modes are patches of nearly the same image. The paper shows them; `collapsed_share` also counts them.
"""

import numpy as np
from scipy.spatial import KDTree
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from stackgan_tf.figures.image_grid import image_grid
from stackgan_tf.figures.labeled_grid import tiles

NEIGHBORS = 5  # on the map, all of which a collapsed image nearly equals
NEARLY = 0.2  # of the difference between two random images
_COMPONENTS = 50  # of the features that t-SNE reads, as in its authors' experiments
_COMPARED = 32  # pixels, of the copies that are compared
_PERPLEXITY = 30
_RANDOM_PAIRS = 2000


def tsne_points(features: np.ndarray, seed: int) -> np.ndarray:
    """Places on the map, float32 `[N, 2]` in [0, 1], of features `[N, D]`; N is at least 5."""
    components = min(_COMPONENTS, *features.shape)
    reduced = PCA(components, random_state=seed).fit_transform(features)
    perplexity = min(_PERPLEXITY, (len(features) - 1) / 3)
    points = TSNE(perplexity=perplexity, init='pca', random_state=seed, n_jobs=-1).fit_transform(reduced)
    low, high = points.min(axis=0), points.max(axis=0)
    return ((points - low) / (high - low)).astype(np.float32)


def snapped(points: np.ndarray, side: int) -> np.ndarray:
    """Moves each image to the nearest cell of a grid; of several, the nearest one is shown.

    Args:
        points: `[N, 2]` in [0, 1].
        side: G, cells in a row.

    Returns:
        The number of the image in each cell, int `[G, G]`; -1: none.
    """
    places = np.minimum((points * side).astype(int), side - 1)
    distances = np.linalg.norm(points * side - (places + 0.5), axis=1)
    cells = np.full((side, side), -1)
    for number in np.argsort(-distances):  # the nearest is the last that is written
        cells[places[number, 1], places[number, 0]] = number
    return cells


def map_image(images: np.ndarray, cells: np.ndarray, tile: int) -> np.ndarray:
    """The map: uint8 images `[N, s, s, 3]` in their cells `[G, G]`; empty cells are white."""
    shown = np.full((cells.size, tile, tile, 3), 255, np.uint8)
    filled = np.flatnonzero(cells.ravel() >= 0)
    shown[filled] = tiles(images[cells.ravel()[filled]], tile)
    return image_grid(shown, len(cells))


def collapsed_share(images: np.ndarray, points: np.ndarray, seed: int) -> float:
    """The share of images that are nearly the same as each of their five nearest images on the map.

    Two images are nearly the same if the root mean square of their difference is below a fifth of the median of random
    pairs, at 32 pixels.

    Args:
        images: uint8 `[N, s, s, 3]`, N at least 6.
        points: on the map, `[N, 2]`.
        seed: of the random pairs.

    Returns:
        In [0, 1]; 0 also if all images are the same, since no pair differs.
    """
    small = tiles(images, _COMPARED).reshape(len(images), -1).astype(np.float32)
    first, second = np.random.default_rng(seed).integers(len(images), size=(2, _RANDOM_PAIRS))
    usual = np.median(_differences(small[first[first != second]], small[second[first != second]]))
    _, nearest = KDTree(points).query(points, NEIGHBORS + 1)
    furthest = np.max([_differences(small, small[nearest[:, rank]]) for rank in range(NEIGHBORS + 1)], axis=0)
    return float(np.mean(furthest < NEARLY * usual))


def _differences(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean((images - others) ** 2, axis=1))
