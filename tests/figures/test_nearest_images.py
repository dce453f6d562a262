import numpy as np

from stackgan_tf.figures.nearest_images import nearest, nearest_rows


def test_nearest_agrees_with_every_distance():
    rng = np.random.default_rng(0)
    features, candidates = (rng.normal(100, 1, (count, 7)).astype(np.float32) for count in (5, 40))
    distances = np.linalg.norm(features[:, None].astype(float) - candidates, axis=2)
    np.testing.assert_array_equal(nearest(features, candidates, 3), distances.argsort(axis=1)[:, :3])


def test_a_copy_is_found_first():
    candidates = np.random.default_rng(1).normal(size=(30, 6)).astype(np.float32)
    assert nearest(candidates[[4, 9]], candidates, 1).ravel().tolist() == [4, 9]


def test_a_row_begins_with_the_generated_image():
    images = np.full((1, 2, 2, 3), 7, np.uint8)
    found = np.arange(3, dtype=np.uint8)[None, :, None, None, None] * np.ones((1, 1, 2, 2, 3), np.uint8)
    ((label, row),) = nearest_rows(['a bird'], images, found)
    assert label == 'a bird'
    assert row[:, 0, 0, 0].tolist() == [7, 0, 1, 2]
