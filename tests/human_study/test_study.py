import numpy as np
import pytest
from PIL import Image
from tiny_text_model import text_generator

from stackgan_tf.human_study.study import KEY, PAGE, build_study, page_html, read_key, study_images
from stackgan_tf.system.errors import UserError

CAPTIONS = [f'bird {number}' for number in range(6)]


def images(trials=6):
    """Two models: the gray level of an image is 10 times its trial, plus 100 for the second model."""
    gray = 10 * np.arange(trials, dtype=np.uint8)[:, None, None, None, None] * np.ones((1, 1, 4, 4, 3), np.uint8)
    return {'one': gray, 'two': gray + 100}


def test_the_key_says_which_image_is_of_which_model(tmp_path):
    key = build_study(tmp_path / 'study', images(), CAPTIONS, seed=0)
    assert read_key(tmp_path / 'study' / KEY) == key
    assert sorted(key.captions) == CAPTIONS
    assert list(key.captions) != CAPTIONS
    assert set(key.orders) == {(0, 1), (1, 0)}
    for number, (caption, order) in enumerate(zip(key.captions, key.orders, strict=True)):
        for letter, model in zip('ab', order, strict=True):
            shown = np.asarray(Image.open(tmp_path / 'study' / PAGE / 'images' / f'{number:04d}_{letter}.png'))
            assert (shown == 10 * int(caption.split()[1]) + 100 * model).all()
    assert not (tmp_path / 'study' / PAGE / KEY).exists()


def test_a_study_is_neither_overwritten_nor_of_one_model(tmp_path):
    with pytest.raises(UserError, match='compares 2 to 26 models'):
        build_study(tmp_path / 'study', {'one': images()['one']}, CAPTIONS, seed=0)
    build_study(tmp_path / 'study', images(), CAPTIONS, seed=0)
    with pytest.raises(UserError, match='exists already'):
        build_study(tmp_path / 'study', images(), CAPTIONS, seed=0)
    with pytest.raises(UserError, match='name the folder that `build` made'):
        read_key(tmp_path / KEY)


def test_models_draw_the_same_seeds():
    model = text_generator()
    drawn = study_images(model, model.embed(CAPTIONS[:2]), trials=2, count=3, seed=5)
    assert drawn.shape == (2, 3, 16, 16, 3)
    np.testing.assert_array_equal(drawn[1], model.generate([CAPTIONS[1]] * 3, seed=8))


def test_captions_cannot_leave_the_data_of_the_page():
    page = page_html({'trials': [{'caption': '</script><script>alert(1)</script>'}]})
    assert page.count('</script>') == page_html({}).count('</script>')
