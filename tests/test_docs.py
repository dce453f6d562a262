"""README and docs: links resolve, commands and settings exist, Python blocks compile, and pages stay short."""

import ast
import functools
import re
import shlex
from pathlib import Path

import pytest

import stackgan_tf
from gin import config_parser
from stackgan_tf.recipe.knobs import knob_settings
from stackgan_tf.recipe.recipe import read_recipe

ROOT = Path(__file__).parents[1]
HISTORY = ROOT / 'docs' / 'experiments'  # measurements, which are not counted
FIDELITY = ROOT / 'docs' / 'fidelity.md'  # long rows, each of which a test reads
PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')),
    *sorted((ROOT / 'docs').rglob('*.md')),
]
MOST_WORDS = 12_000
LONGEST_LINE = 160
COMMANDS = ('train', 'sample', 'evaluate', 'export')
# Pages whose Python blocks other tests run.
RUN_ELSEWHERE = ('docs/python.md', 'docs/serving.md')
FENCE = re.compile(r'^( *)```(\w*)\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not (ROOT / 'docs').is_dir(), reason='needs the source tree')
each_page = pytest.mark.parametrize('page', PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def blocks(page, *languages):
    """The fenced blocks of a page, each with the line before it."""
    text = page.read_text(encoding='utf-8')
    for found in FENCE.finditer(text):
        if found[2] in languages:
            before = text[: found.start()].rstrip('\n').rpartition('\n')[2]
            yield re.sub(rf'^{found[1]}', '', found[3], flags=re.MULTILINE), before


def prose(page):
    return FENCE.sub('', page.read_text(encoding='utf-8'))


def code(page):
    """Everything that a page shows as code: inline spans (joined over line breaks), blocks, indented lines."""
    spans = [re.sub(r'\s+', ' ', span) for span in re.findall(r'`([^`]+)`', prose(page))]
    fenced = [found[3] for found in FENCE.finditer(page.read_text(encoding='utf-8'))]
    indented = re.findall(r'^ {4,}(?:\S*python|make) .*(?:\\\n.*)*', prose(page), re.MULTILINE)
    return [*spans, *fenced, *indented]


def invocations(page):
    """The commands of a page, each as a list of words: `python -m stackgan_tf.X ...`, `tools/X.py ...`, `make ...`."""
    shown = [block for block, _ in blocks(page, 'sh', 'bash', 'shell')]
    shown += [each for each in code(page) if re.match(r'\S*python |tools/\S+\.py |make |[A-Z_]+=\S+ \S*python ', each)]
    shown += [f'python -m stackgan_tf.{each}' for each in code(page) if re.match(rf'({"|".join(COMMANDS)}) -', each)]
    for text in shown:
        for line in text.replace('\\\n', ' ').splitlines():
            words: list[str] = []
            for word in shlex.split(line, comments=True):
                if word in ('--', '&&', '||', '|', '&', ';', 'do', 'done') or word.endswith(';'):
                    yield [*words, word.rstrip(';')] if word.endswith(';') else words
                    words = []
                else:
                    words.append(word)
            yield words


def source_of(words):
    """The file that a command runs; None for programs of others."""
    for previous, word in zip(['', *words], words, strict=False):
        if previous == '-m' and re.match(r'(stackgan_tf|development_server)\.\w', word):
            folder = ROOT if word.startswith('stackgan_tf') else ROOT / 'tools'
            return folder.joinpath(*word.split('.')).with_suffix('.py')
        if re.fullmatch(r'(\S*/)?(tools|tests)/\S+\.py', word):
            return ROOT / re.search(r'(tools|tests)/\S+', word)[0]
    return None


@functools.cache
def flags_of(source):
    """The flags that a command defines, itself and in the modules of tools/ that it imports."""
    text = source.read_text(encoding='utf-8')
    found = {'help', *re.findall(r"DEFINE_\w+\(\s*'(\w+)'", text)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in ('', *(f'.{alias.name}' for alias in node.names)):
                module = (ROOT / 'tools').joinpath(*f'{node.module}{name}'.split('.')).with_suffix('.py')
                if module.is_file():
                    found |= flags_of(module)
    return found


def slugs(page):
    """The anchors of a page's headings, as GitHub makes them."""
    found: list[str] = []
    for heading in re.findall(r'^#{1,6} (.+)$', prose(page), re.MULTILINE):
        text = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading)
        slug = re.sub(r'[^\w\- ]', '', text.strip().lower()).replace(' ', '-')
        found.append(f'{slug}-{found.count(slug)}' if slug in found else slug)
    return found


def links(page):
    """The targets of all links and images of a page."""
    text = re.sub(r'`[^`]+`', '``', prose(page))
    named = dict(re.findall(r'^\[([^\]]+)\]: *(\S+)', text, re.MULTILINE))
    used = re.findall(r'\]\[([^\]]+)\]', text)
    assert set(used) <= set(named), sorted(set(used) - set(named))
    return [*re.findall(r'\]\(([^)\s]+)\)', text), *named.values(), *re.findall(r'(?:src|href)="([^"]+)"', text)]


@each_page
def test_links_resolve(page):
    for link in links(page):
        if re.match(r'https?://|mailto:', link):
            continue
        target, _, anchor = link.partition('#')
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        assert path.is_relative_to(ROOT), link
        assert not anchor or anchor in slugs(path), link


@each_page
def test_lines_are_short(page):
    lines = page.read_text(encoding='utf-8').splitlines()
    long = [
        number
        for number, line in enumerate(lines, 1)
        if len(line) > LONGEST_LINE and not (page == FIDELITY and line.startswith('|'))
    ]
    assert not long


def words_of(page):
    """The words of a page, without its code blocks and the bars of its tables."""
    prose = re.sub(r'^```.*?^```', '', page.read_text(encoding='utf-8'), flags=re.MULTILINE | re.DOTALL)
    return [word for word in prose.split() if re.search(r'\w', word)]


def test_pages_stay_within_the_word_limit():
    counted = {
        page.relative_to(ROOT).as_posix(): len(words_of(page))
        for page in [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')]
        if page != FIDELITY and HISTORY not in page.parents
    }
    assert sum(counted.values()) <= MOST_WORDS, counted


@each_page
def test_python_blocks_compile_and_use_public_names(page):
    for block, before in blocks(page, 'python'):
        tree = ast.parse(block)
        imported = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.name == 'stackgan_tf'
        }
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported
        }
        assert used <= set(stackgan_tf.__all__), used - set(stackgan_tf.__all__)
        runs = page.name == 'README.md' or page.relative_to(ROOT).as_posix() in RUN_ELSEWHERE
        assert runs or re.fullmatch(r'\s*<!-- needs: .+ -->', before), f'mark what it needs, or run it:\n{block}'


def test_the_first_example_draws(tmp_path, monkeypatch):
    if not stackgan_tf.presets():
        pytest.skip('the weights of the preset are not in this tree')
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    first, _ = next(blocks(ROOT / 'README.md', 'python'))
    exec(compile(first, 'README.md', 'exec'), {})
    assert Image.open('bird.png').size == (64, 64)


@each_page
def test_commands_and_their_flags_exist(page):
    for words in invocations(page):
        source = source_of(words)
        if source is None:
            continue
        assert source.is_file(), words
        for flag in [found for word in words for found in re.findall(r'^--(\w+)', word)]:
            assert {flag, flag.removeprefix('no')} & flags_of(source), f'--{flag}: {" ".join(words)}'


def test_flags_that_are_named_alone_exist():
    commands = [*(ROOT / 'stackgan_tf').rglob('*.py'), *(ROOT / 'tools').rglob('*.py')]
    known = set().union(*(flags_of(source) for source in commands))
    for page in PAGES:
        named = {found for each in code(page) for found in re.findall(r'^--(\w+)', each)}
        assert named <= known, (page, named - known)


@each_page
def test_files_that_are_named_exist(page):
    named = re.findall(
        r'(?<![\w/.-])((?:gin|tools|tests|stackgan_tf|docs)/[\w/]+\.(?:gin|py|md|png|svg))\b', '\n'.join(code(page))
    )
    for path in named:
        assert (ROOT / path).is_file() or path.endswith('NAME.gin') or path.startswith('stackgan_tf/presets/'), path


def test_make_targets_exist():
    targets = set(re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    for page in PAGES:
        named = {found for each in code(page) for found in re.findall(r'(?:^|\n)make ([a-z][\w-]*)', each)}
        assert named <= targets, (page, named - targets)


class Names(config_parser.ParserDelegate):
    """References and macros of gin values, unresolved."""

    def configurable_reference(self, name, evaluate):
        return name

    def macro(self, name):
        return name


@each_page
def test_settings_of_commands_parse(page):
    for words in invocations(page):
        for setting in [word.partition('=')[2] for word in words if word.startswith('--gin_param=')]:
            statements = list(config_parser.ConfigParser(setting, Names()))
            assert [type(each) for each in statements] == [config_parser.BindingStatement], setting


def test_settings_that_are_named_exist():
    from stackgan_tf.recipe.configurables import CONFIGURABLES, parameter_types

    setting = re.compile(rf'(?<![\w.])({"|".join(CONFIGURABLES)})\.([a-z_]\w*)')
    count = 0
    for page in PAGES:
        for name, parameter in [found for each in code(page) for found in setting.findall(each)]:
            known = parameter in parameter_types(name) or hasattr(CONFIGURABLES[name], parameter)
            assert known, f'{page}: {name}.{parameter}'
            count += 1
    assert count > 20


def values_of(words, flag):
    """All values of a repeatable flag of a command."""
    return [word.partition('=')[2] for word in words if word.startswith(f'--{flag}=')]


@each_page
def test_recipes_of_commands_can_be_read(page):
    for words in invocations(page):
        recipes = values_of(words, 'gin_file')
        if source_of(words) != ROOT / 'stackgan_tf' / 'train.py' or not recipes or re.search('[<*A-Z]', recipes[0]):
            continue
        given = {name: (values_of(words, name) or [None])[0] for name in ('images', 'steps', 'batch_size', 'seed')}
        shorthands = {name: value if name == 'images' or value is None else int(value) for name, value in given.items()}
        settings = knob_settings(values_of(words, 'gin_param'), shorthands)
        assert read_recipe(recipes, settings).run.phases
