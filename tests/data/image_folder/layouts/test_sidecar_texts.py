import pytest

from stackgan_tf.data.image_folder.listing import list_images


@pytest.fixture
def captions(tmp_path):
    def captions(files, caption_column=None):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        found = list_images(tmp_path, 'train', 0.0, caption_column=caption_column)
        return {file.name: found.annotation(file.name).captions for file in found.files}, found

    return captions


def test_one_caption_a_line(captions):
    files = {'a.jpg': 'x', 'a.txt': '\ufeffa red bird\r\n\r\n one bird \n', 'sub/b.png': 'x', 'sub/b.caption': 'a wren'}
    found, listing = captions(files)
    assert found == {'a.jpg': ('a red bird', 'one bird'), 'sub/b.png': ('a wren',)}
    assert listing.notes == []


def test_names_with_the_suffix_of_the_image_and_two_texts(captions):
    found, _ = captions({'a.jpg': 'x', 'a.jpg.txt': 'one', 'a.caption': 'two', 'a.json': '{"caption": "three"}'})
    assert found == {'a.jpg': ('two', 'one')}


def test_json_where_there_is_no_text(captions):
    found, listing = captions(
        {'a.jpg': 'x', 'a.json': '{"key": "7", "caption": "a bird"}', 'b.jpg': 'x', 'b.json': '['}
    )
    assert found == {'a.jpg': ('a bird',), 'b.jpg': ()}
    assert listing.notes[0].startswith('1 texts of images are not read: b.json (')


def test_a_key_of_ones_own(captions):
    found, _ = captions({'a.jpg': 'x', 'a.json': '{"blip": "a bird", "text": "no"}'}, caption_column='blip')
    assert found == {'a.jpg': ('a bird',)}


def test_the_layout_of_reed(captions):
    files = {
        f'{kind}/{bird}/1.{suffix}': f'{bird} one\n{bird} two\n'
        for kind, suffix in (('images', 'jpg'), ('text', 'txt'))
        for bird in ('owl', 'wren')
    }
    found, listing = captions(files)
    assert found == {'images/owl/1.jpg': ('owl one', 'owl two'), 'images/wren/1.jpg': ('wren one', 'wren two')}
    assert listing.class_names == ['owl', 'wren']


def test_texts_in_other_folders_belong_to_the_only_image_of_their_name(captions):
    files = {'jpg/1.jpg': 'x', 'text_c10/class_1/1.txt': 'a rose', 'text_c10/class_2/2.txt': 'of no image'}
    files |= {
        'jpg/a/3.jpg': 'x',
        'jpg/b/3.jpg': 'x',
        'text_c10/class_3/3.txt': 'of which?',
        'notes/1.txt': 'no caption',
    }
    found, listing = captions(files)
    assert found == {'jpg/1.jpg': ('a rose',), 'jpg/a/3.jpg': (), 'jpg/b/3.jpg': ()}
    assert 'passed over: 3 .txt' in listing.notes


def test_a_text_of_two_images(captions):
    assert captions({'a.jpg': 'x', 'a.png': 'x', 'a.txt': 'one'})[0] == {'a.jpg': ('one',), 'a.png': ('one',)}


def test_texts_of_no_image_boxes_and_other_encodings(captions):
    files = {'a.jpg': 'x', 'a.txt': '0 0.5 0.5 0.25 0.25\n3 0.1 0.1 0.2 0.2\n', 'b.jpg': 'x', 'b.txt': b'caf\xe9'}
    files |= {'c.jpg': 'x', 'c.txt': 'a bird'.encode('utf-16'), 'notes.txt': 'of no image'}
    found, listing = captions(files)
    assert found == {'a.jpg': (), 'b.jpg': (), 'c.jpg': ('a bird',)}
    assert listing.notes[:2] == [
        'passed over: 1 .txt',
        '2 texts of images are not read: a.txt (boxes, no caption), b.txt (not UTF-8 text)',
    ]
