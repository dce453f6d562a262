"""Untrusted and broken recipes: gin itself runs any module or function that a file names, this package none."""

import sys

import pytest

from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.system.errors import UserError

WHOLE = "include 'gin/painted_birds_unconditional.gin'\n"


@pytest.fixture
def refusal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def refusal(text):
        (tmp_path / 'mine.gin').write_bytes(text if isinstance(text, bytes) else (WHOLE + text).encode())
        with pytest.raises(UserError) as raised:
            read_recipe(['mine.gin'])
        assert '\n' not in str(raised.value)
        return str(raised.value)

    return refusal


@pytest.mark.parametrize(
    ('text', 'statement'),
    [
        ('import evil', 'import evil'),
        ('import os as that', 'import os as that'),
        ('from evil import evil', 'from evil import evil'),
        ('from __gin__ import dynamic_registration\nimport os\nSTEPS = @os.system()', 'from __gin__ import'),
        ('if 3:\n  import evil', "Couldn't parse"),
        ('tree/Phase:\n  import evil', "Expected '='"),
    ],
)
def test_nothing_is_imported(tmp_path, refusal, text, statement):
    # Modules in the folder of the recipe can be imported: `python -m` puts the working directory into the path.
    (tmp_path / 'evil.py').write_text('open("marker", "w")')
    (tmp_path / 'evil').mkdir()
    (tmp_path / 'evil' / '__init__.py').write_text('open("marker", "w")')
    sys.path.insert(0, str(tmp_path))
    try:
        assert statement in refusal(text)
        assert 'is not there' in refusal("include 'evil/more/recipe.gin'")
        with pytest.raises(UserError, match="a setting asks for 'import evil': recipes import nothing"):
            read_recipe(['gin/quickstart.gin'], ['import evil'])
    finally:
        sys.path.remove(str(tmp_path))
    assert not (tmp_path / 'marker').exists()


def test_the_line_of_an_import_is_named(tmp_path, refusal):
    (tmp_path / 'other.gin').write_text('# a comment\nimport os\n')
    message = f"{tmp_path / 'other.gin'}, line 2 asks for 'import os': recipes import nothing, take that line out"
    assert refusal("include 'other.gin'") == message


def test_gins_own_functions_cannot_be_named(refusal):
    for text in (
        'gin.singleton.constructor = @Phase',
        'STEPS = @once/gin.singleton()',
        'STEPS = @x/gin.constant()',
        'STEPS = @gin.macro',
    ):
        assert 'is not for recipes: there are AttributeClassifier, ' in refusal(text)
    assert 'nothing in this recipe uses' in refusal('gin.macro.value = 3')
    assert 'Phase has no setting self' in refusal('Phase.self = 3')
    assert "doesn't have a parameter named '__init__'" in refusal('Phase.__init__ = 3')
    assert "No configurable matching 'os.system'" in refusal("os.system.command = 'true'")


def test_circular_files_and_macros(refusal):
    assert refusal("include 'mine.gin'").endswith('/mine.gin includes itself, or one that includes it')
    assert refusal('STEPS = %STEPS') == 'STEPS means itself: give it a value'
    assert refusal('STEPS = %OTHER\nOTHER = %STEPS') == 'OTHER means itself: give it a value'
    assert refusal('SIZES = (8, %SIZES)') == 'SIZES means itself: give it a value'


def test_objects_of_another_kind(refusal):
    for text in (
        'tree/Phase.data = @StackGANv2',
        'tree/Phase.data = @TfdsImages()',
        'tree/Phase.model = @TfdsImages',
        'tree/Phase.steps = @tree/Phase()',
        'Recipe.phases = @tree/Phase()',
        'Recipe.phases = [@tree/Phase]',
        'Recipe.phases = [@Recipe()]',
        'Recipe.phases = [3, @tree/Phase()]',
    ):
        assert 'is of another kind: it takes ' in refusal(text)
    assert 'tree/Phase.data = @StackGANv2 is of another kind: it takes Callable[[], ExampleSource]' in refusal(
        'tree/Phase.data = @StackGANv2'
    )
    assert 'is of the wrong type' in refusal('STEPS = {1: @tree/Phase()}')
    assert 'must double: after 8 comes 16' in refusal('SIZES = (8, %LAST)\nLAST = 8')


def test_a_phase_stays_in_the_run_directory(refusal):
    for name in ('../up', '/tmp/x', '', 'two words', 'new\\nline', '.', 'caf\N{LATIN SMALL LETTER E WITH ACUTE}'):
        assert 'must be letters, digits, _ and -' in refusal(f"tree/Phase.name = '{name}'")


def test_files_that_are_not_gin(refusal):
    assert refusal('STEPS = (8') == 'mine.gin is not a recipe: EOF in multi-line statement'
    assert refusal(b'STEPS = 8 # caf\xe9') == 'mine.gin is not a recipe: unexpected end of data'
    for text in ('\x00', 'STEPS = ' + '[' * 5000, 'STEPS = ' + '9' * 5000, "STEPS = __import__('os')", 'STEPS = -'):
        refusal(text)
    for content in (bytes(1000), b'PK\x03\x04' + bytes(range(128)), b'<!DOCTYPE html>', b'\x80\x02}q\x00.', b''):
        refusal(content)
    assert "includes '/dev/zero', which is not there" in refusal("include '/dev/zero'")
