import numpy as np
import pytest

from stackgan_tf.figures.tsne_map import collapsed_share, map_image, snapped, tsne_points

RNG = np.random.default_rng(0)


def test_groups_of_features_are_groups_on_the_map():
    centers = RNG.normal(size=(3, 20)) * 20
    group = np.repeat(np.arange(3), 30)
    points = tsne_points((centers[group] + RNG.normal(size=(90, 20))).astype(np.float32), seed=0)
    assert points.min(axis=0) == pytest.approx([0, 0])
    assert points.max(axis=0) == pytest.approx([1, 1])
    distances = np.linalg.norm(points[:, None] - points, axis=2) + np.eye(90) * 9
    assert (group[distances.argmin(axis=1)] == group).all()


def test_each_image_is_in_its_nearest_cell_and_the_nearest_is_shown():
    points = np.array([[0.1, 0.1], [0.26, 0.24], [0.9, 0.2], [1.0, 1.0]])
    assert snapped(points, 2).tolist() == [[1, 2], [-1, 3]]


def test_the_map_shows_images_in_cells_and_white_elsewhere():
    images = np.array([10, 20], np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    assert map_image(images, np.array([[1, -1], [-1, 0]]), 4)[::4, ::4, 0].tolist() == [[20, 255], [255, 10]]


def test_the_share_of_collapsed_images():
    images = RNG.integers(0, 256, (120, 32, 32, 3), np.uint8)
    points = RNG.random((120, 2)) / 4
    assert collapsed_share(images, points, seed=0) == 0
    points[:30] = 0.8 + RNG.random((30, 2)) / 10
    images[:30] = np.clip(images[0] + RNG.normal(0, 4, (30, 32, 32, 3)), 0, 255)
    assert collapsed_share(images, points, seed=0) == 30 / 120


def test_pairs_of_equal_images_are_no_collapsed_mode():
    images = RNG.integers(0, 256, (20, 32, 32, 3), np.uint8).repeat(2, axis=0)
    points = RNG.random((20, 2)).repeat(2, axis=0)
    assert collapsed_share(images, points, seed=0) == 0
