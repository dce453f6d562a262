import json
import os
import sys

import pyarrow.parquet
import pytest
from fuzzing import EXAMPLES, damaged, fuzz, read_or_refused
from hypothesis import strategies as st

from stackgan_tf.data.image_folder.annotation import Annotation
from stackgan_tf.data.image_folder.contents import read_contents
from stackgan_tf.data.image_folder.layouts import table_files
from stackgan_tf.data.image_folder.layouts.tables import read_tables
from stackgan_tf.system.errors import UserError


def read_metadata(path, caption_column=None):
    """The annotations of the only table in a folder."""
    tables, _ = read_tables(read_contents(path.parent), caption_column)
    return tables[0].annotations if tables else {}


def read(tmp_path, name, content, caption_column=None):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_metadata(path, caption_column)


def notes(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    return read_tables(read_contents(tmp_path), None)[1]


def test_json_lines_with_text_captions_and_boxes(tmp_path):
    lines = [
        {'file_name': 'a.jpg', 'text': 'a red bird', 'other': [1]},
        {'file_name': './b.jpg', 'text': 'a bird', 'captions': ['a blue bird', ' ', 'a sky'], 'bbox': [1, 2, 30, 40.5]},
        {'file_name': 'sub/c.jpg'},
        {'file_name': 'd.jpg', 'text': 'a bird', 'captions': []},
    ]
    annotations = read(tmp_path, 'metadata.jsonl', '\n\n'.join(map(json.dumps, lines)))
    assert annotations == {
        'a.jpg': Annotation(('a red bird',)),
        './b.jpg': Annotation(('a bird', 'a blue bird', 'a sky'), (1, 2, 30, 40.5)),
        'sub/c.jpg': Annotation(),
        'd.jpg': Annotation(('a bird',)),
    }


def test_csv_with_quotes_line_breaks_and_json_cells(tmp_path):
    content = (
        '\ufefffile_name,text,captions,bbox\r\n'
        'a.jpg,"red, with ""spots""\nand a beak",,\r\n'
        'b.jpg,,"[""one"", ""two""]","[1, 2, 3, 4]"\r\n'
    )
    annotations = read(tmp_path, 'metadata.csv', content)
    assert annotations == {
        'a.jpg': Annotation(('red, with "spots"\nand a beak',)),
        'b.jpg': Annotation(('one', 'two'), (1, 2, 3, 4)),
    }


def test_a_file_named_again_gets_more_captions(tmp_path):
    annotations = read(tmp_path, 'metadata.csv', 'file_name, text\na.jpg,one\nb.jpg,x\na.jpg,two\na.jpg,one\n')
    assert annotations['a.jpg'].captions == ('one', 'two')
    assert 'names 2 images again' in read_tables(read_contents(tmp_path), None)[1][0]


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('metadata.csv', '\ufefffile_name;text\r\na.jpg;a, b\r\nb.jpg;c\r\n'),
        ('metadata.csv', 'text\tfile_name\ra, b\ta.jpg\rc\tb.jpg\r'),
        ('metadata.tsv', 'file_name\ttext\na.jpg\ta, b\nb.jpg\tc\n'.encode('utf-16')),
        ('captions.csv', 'filename,caption\na.jpg,a, b\nb.jpg,c\n'),
        ('captions.txt', 'a.jpg,"a, b"\nb.jpg,c\n'),
        ('metadata.json', '[\n {"image": "a.jpg", "prompt": "a, b"},\n {"image": "b.jpg", "prompt": "c"}]'),
        ('metadata.json', '{"file_name": "a.jpg", "text": "a, b"}\n{"file_name": "b.jpg", "text": "c"}\n'),
        ('metadata.json', '{"a.jpg": "a, b", "b.jpg": ["c"]}'),
        ('metadata.jsonl', '[{"file_name": "a.jpg", "text": "a, b"}, {"file_name": "b.jpg", "text": "c"}]'),
        ('metadata.jsonl', '\ufeff{"Image": "a.jpg", "Description": "a, b"}\r\n{"Image": "b.jpg", "Description": "c"}'),
        ('metadata.jsonl', '{"image": {"path": "a.jpg"}, "text": "a, b"}\n{"image": {"path": "b.jpg"}, "text": "c"}'),
        ('metadata.csv', 'id,file_name,captions\n1,a.jpg,"[\'a, b\']"\n2,b.jpg,c\n'),
    ],
)
def test_many_forms_of_one_table(tmp_path, name, content):
    assert read(tmp_path, name, content) == {'a.jpg': Annotation(('a, b',)), 'b.jpg': Annotation(('c',))}


def test_parquet(tmp_path):
    rows = [{'file_name': 'a.jpg', 'captions': ['one', 'two'], 'label': 3}, {'file_name': 'b.jpg', 'captions': None}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / 'metadata.parquet')
    assert read_metadata(tmp_path / 'metadata.parquet') == {
        'a.jpg': Annotation(('one', 'two'), label='3'),
        'b.jpg': Annotation(),
    }


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    with pytest.raises(UserError, match='tables in Parquet need pyarrow: pip install pyarrow'):
        read(tmp_path, 'metadata.parquet', b'PAR1')


def test_a_caption_column_of_ones_own(tmp_path):
    lines = '{"file_name": "a.jpg", "text": "no", "blip": "a bird"}'
    assert read(tmp_path, 'metadata.jsonl', lines, 'BLIP') == {'a.jpg': Annotation(('a bird',))}
    with pytest.raises(UserError, match="caption_column = 'clip': the tables have file_name, text, blip"):
        read(tmp_path, 'metadata.jsonl', lines, 'clip')


def test_columns_that_are_not_used_are_named(tmp_path):
    content = 'file_name,text,label,width,url\na.jpg,x,owl,3,y\n'
    assert notes(tmp_path, 'metadata.csv', content) == ['metadata.csv: columns that are not used: width, url']


def test_labels_and_splits(tmp_path):
    lines = [
        {'file_name': 'a', 'label': 3, 'split': 'Val'},
        {'file_name': 'b', 'class': 'owl'},
        {'file_name': 'c', 'label': None},
    ]
    assert read(tmp_path, 'metadata.jsonl', '\n'.join(map(json.dumps, lines))) == {
        'a': Annotation(label='3', split='val'),
        'b': Annotation(label='owl'),
        'c': Annotation(),
    }


def test_empty_captions_are_none(tmp_path):
    lines = ['{"file_name": "a", "text": null}', '{"file_name": "b", "text": ""}', '{"file_name": "c", "text": NaN}']
    assert set(read(tmp_path, 'metadata.jsonl', '\n'.join(lines)).values()) == {Annotation()}


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('metadata.jsonl', '{"file_name": "a.jpg"}\n{"file_name": ', 'line 2: not JSON'),
        ('metadata.jsonl', '{}\n["a.jpg"]', 'line 1: it must have a file_name'),
        ('metadata.json', '["a.jpg"]', 'record 1: it must have a file_name'),
        ('metadata.json', '[{"file_name": "a.jpg"}', 'metadata.json: not JSON'),
        ('metadata.parquet', b'PAR1' + bytes(60) + b'PAR1', 'metadata.parquet: not a Parquet file, or broken'),
        ('metadata.csv', 'file_name,text\na.jpg,caf\xe9\n'.encode('latin-1'), 'line 2: not UTF-8 text .byte 0xe9'),
        ('metadata.jsonl', '{"text": "a"}', 'line 1: it must have a file_name'),
        ('metadata.jsonl', '{"file_name": [3]}', 'line 1: it must have a file_name'),
        ('metadata.jsonl', '{"file_name": "a", "text": 3}', 'line 1: text must be a string'),
        ('metadata.jsonl', '{"file_name": "a", "captions": ["x", 3]}', 'line 1: text must be a string'),
        ('metadata.jsonl', '{"file_name": "a", "bbox": [1, 2, 3]}', 'line 1: bbox must be'),
        ('metadata.jsonl', '{"file_name": "a", "bbox": [1, 2, 3, NaN]}', 'line 1: bbox must be'),
        ('metadata.jsonl', b'{"file_name": "a"}\n{"file_name": "\xff"}', 'line 2: not UTF-8'),
        ('metadata.jsonl', '[' * 100_000, 'not JSON'),
        ('metadata.jsonl', '{"file_name": "a", "bbox": [1, 2, 3, 1' + '0' * 400 + ']}', 'line 1: bbox must be'),
        ('metadata.csv', 'title,text\na.jpg,x', 'line 1: the first line must name the columns, among them file_name'),
        ('metadata.csv', 'file_name,text,url\na.jpg,b,c,d', 'line 2: 4 cells in 3 columns: put texts .* in quotes'),
        ('metadata.csv', '', 'line 1: the first line must name the columns'),
        ('metadata.csv', 'file_name,text\na.jpg,x\nb.jpg,"open', 'line 3: unexpected end'),
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
    annotations = read(tmp_path, 'metadata.jsonl', '\n'.join(lines))
    assert [annotations[f'{number}.jpg'].captions[0] for number in range(6)] == [text.strip() for text in captions]


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, '_MAX_LINE', 1 << 20)
    with pytest.raises(UserError, match='line 2: longer than 1 MB'):
        read(tmp_path, 'metadata.jsonl', b'\n' + b' ' * (1 << 21))
    (tmp_path / 'metadata.jsonl').unlink()
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
    (tmp_path / 'metadata.csv').symlink_to('nowhere')
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
    for name, (captions, box, _, _) in annotations.items():
        assert isinstance(name, str)
        assert all(isinstance(caption, str) and caption.strip() for caption in captions)
        assert box is None or (len(box) == 4 and all(isinstance(number, float) and abs(number) < 1e9 for number in box))


@EXAMPLES
def test_records_of_all_types(tmp_path, examples):
    def check(records):
        content = '\n'.join(json.dumps(record) for record in records).encode()
        if (found := read_or_refused(read_metadata, tmp_path / 'metadata.jsonl', content)) is not None:
            check_annotations(found)

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
            check_annotations(found)

    fuzz(check, damaged(whole), examples)
