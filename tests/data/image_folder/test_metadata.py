import json
import os

import pytest
from fuzzing import EXAMPLES, damaged, fuzz, read_or_refused
from hypothesis import strategies as st

from stackgan_tf.data.image_folder import metadata
from stackgan_tf.data.image_folder.metadata import Annotation, read_metadata
from stackgan_tf.system.errors import UserError


def read(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_metadata(path)


def test_json_lines_with_text_captions_and_boxes(tmp_path):
    lines = [
        {'file_name': 'a.jpg', 'text': 'a red bird', 'other': [1]},
        {'file_name': './b.jpg', 'text': 'a bird', 'captions': ['a blue bird', ' ', 'a sky'], 'bbox': [1, 2, 30, 40.5]},
        {'file_name': 'sub/c.jpg'},
        {'file_name': 'd.jpg', 'text': 'a bird', 'captions': []},
    ]
    annotations, repeated = read(tmp_path, 'metadata.jsonl', '\n\n'.join(map(json.dumps, lines)))
    assert annotations == {
        'a.jpg': Annotation(('a red bird',)),
        'b.jpg': Annotation(('a blue bird', 'a sky'), (1, 2, 30, 40.5)),
        'sub/c.jpg': Annotation(),
        'd.jpg': Annotation(('a bird',)),
    }
    assert repeated == 0


def test_csv_with_quotes_line_breaks_and_json_cells(tmp_path):
    content = (
        '\ufefffile_name,text,captions,bbox\r\n'
        'a.jpg,"red, with ""spots""\nand a beak",,\r\n'
        'b.jpg,,"[""one"", ""two""]","[1, 2, 3, 4]"\r\n'
    )
    annotations, _ = read(tmp_path, 'metadata.csv', content)
    assert annotations == {
        'a.jpg': Annotation(('red, with "spots"\nand a beak',)),
        'b.jpg': Annotation(('one', 'two'), (1, 2, 3, 4)),
    }


def test_a_file_named_again_gets_more_captions(tmp_path):
    annotations, repeated = read(
        tmp_path, 'metadata.csv', 'file_name, text\na.jpg,one\nb.jpg,x\na.jpg,two\n./a.jpg,three\n'
    )
    assert annotations['a.jpg'].captions == ('one', 'two', 'three')
    assert repeated == 2


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('metadata.jsonl', '{"file_name": "a.jpg"}\n{"file_name": ', 'line 2: not JSON'),
        ('metadata.jsonl', '\n["a.jpg"]', 'line 2: it must have a file_name'),
        ('metadata.jsonl', '{"text": "a"}', 'line 1: it must have a file_name'),
        ('metadata.jsonl', '{"file_name": 3}', 'line 1: it must have a file_name'),
        ('metadata.jsonl', '{"file_name": "a", "text": 3}', 'line 1: text must be a string'),
        ('metadata.jsonl', '{"file_name": "a", "captions": ["x", 3]}', 'line 1: text must be a string'),
        ('metadata.jsonl', '{"file_name": "a", "bbox": [1, 2, 3]}', 'line 1: bbox must be'),
        ('metadata.jsonl', '{"file_name": "a", "bbox": [1, 2, 3, NaN]}', 'line 1: bbox must be'),
        ('metadata.jsonl', b'{"file_name": "a"}\n{"file_name": "\xff"}', 'line 2: not UTF-8'),
        ('metadata.jsonl', '[' * 100_000, 'line 1: not JSON'),
        ('metadata.jsonl', '{"file_name": "a", "bbox": [1, 2, 3, 1' + '0' * 400 + ']}', 'line 1: bbox must be'),
        ('metadata.csv', 'name,text\na.jpg,x', 'line 1: the first line must name the columns, among them file_name'),
        ('metadata.csv', '', 'line 0: the first line must name the columns'),
        ('metadata.csv', 'file_name,text\na.jpg', 'line 2: the first line names 2 columns'),
        ('metadata.csv', 'file_name,text\na.jpg,b,c', 'line 2: the first line names 2 columns'),
        ('metadata.csv', 'file_name,text\na.jpg,x\nb.jpg,"open', 'line 3: unexpected end'),
        ('metadata.csv', 'file_name,captions\na.jpg,one', 'line 2: Expecting value'),
    ],
)
def test_wrong_formats_are_reported_with_their_line(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path, name, content)
    assert str(tmp_path / name) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_odd_captions(tmp_path):
    captions = ['a\0b', 'abc\N{RIGHT-TO-LEFT OVERRIDE}def', '\ud800', 'bird ' * 200_000, '\N{BIRD}', ' \x1b[2J ']
    lines = [json.dumps({'file_name': f'{number}.jpg', 'text': text}) for number, text in enumerate(captions)]
    annotations, _ = read(tmp_path, 'metadata.jsonl', '\n'.join(lines))
    assert [annotations[f'{number}.jpg'].captions[0] for number in range(6)] == [text.strip() for text in captions]


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(metadata, '_MAX_LINE', 1 << 20)
    with pytest.raises(UserError, match='line 2: longer than 1 MB'):
        read(tmp_path, 'metadata.jsonl', b'\n' + b' ' * (1 << 21))
    with pytest.raises(UserError, match='line 2: field larger than field limit'):
        read(tmp_path, 'metadata.csv', 'file_name,text\na.jpg,' + 'x' * 200_000)


def test_where_it_is_stays_one_line(tmp_path):
    (tmp_path / 'new\nline').mkdir()
    with pytest.raises(UserError) as caught:
        read(tmp_path / 'new\nline', 'metadata.jsonl', '{')
    assert '/new\\nline/' in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / 'metadata.jsonl')
    with pytest.raises(UserError, match='it is not a file'):
        read_metadata(tmp_path / 'metadata.jsonl')


def test_unreadable(tmp_path):
    (tmp_path / 'metadata.csv').mkdir()
    with pytest.raises(UserError, match='cannot be read'):
        read_metadata(tmp_path / 'metadata.csv')


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just('\ud800'),
    lambda inside: st.lists(inside, max_size=5) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)
NUMBERS = st.floats(-9, 999) | st.integers(0, 999)
RECORDS = st.fixed_dictionaries(
    {'file_name': st.just('a.jpg') | VALUES},
    optional={'text': VALUES, 'captions': VALUES, 'bbox': st.lists(NUMBERS, min_size=4, max_size=4) | VALUES},
)


def check_annotations(annotations):
    for name, (captions, box) in annotations.items():
        assert isinstance(name, str)
        assert all(isinstance(caption, str) and caption.strip() for caption in captions)
        assert box is None or (len(box) == 4 and all(isinstance(number, float) and abs(number) < 1e9 for number in box))


@EXAMPLES
def test_records_of_all_types(tmp_path, examples):
    def check(records):
        content = '\n'.join(json.dumps(record) for record in records).encode()
        if (found := read_or_refused(read_metadata, tmp_path / 'metadata.jsonl', content)) is not None:
            check_annotations(found[0])

    fuzz(check, st.lists(RECORDS | VALUES, max_size=3), examples)


@EXAMPLES
@pytest.mark.parametrize('name', ['metadata.jsonl', 'metadata.csv'])
def test_damaged_files(tmp_path, name, examples):
    whole = {
        'metadata.jsonl': b'{"file_name": "a.jpg", "text": "a bird", "bbox": [1, 2, 3, 4]}\n{"file_name": "b.jpg"}\n',
        'metadata.csv': b'file_name,text,captions,bbox\na.jpg,"red, ""wing""",,"[1, 2, 3, 4]"\nb.jpg,,"[""x""]",\n',
    }[name]

    def check(content):
        if (found := read_or_refused(read_metadata, tmp_path / name, content)) is not None:
            check_annotations(found[0])

    fuzz(check, damaged(whole), examples)
