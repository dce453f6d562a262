import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from PIL import Image

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / 'setup.py').exists(), reason='needs the source tree')


def requirements(end='HERE ='):
    text = (ROOT / 'setup.py').read_text()
    block = text[text.index('RUNTIME = [') : text.index(end)]
    return [Requirement(line) for line in re.findall(r"'([a-z][^' ]*)'", block)]


def name_of(requirement):
    return requirement.name.lower().replace('_', '-')


def versions(file):
    lines = (ROOT / file).read_text().splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith('#')]
    return {name_of(each): Version(str(each.specifier).removeprefix('==')) for each in pinned}


def test_tested_versions_are_within_the_bounds():
    tested = versions('constraints.txt')
    for requirement in requirements():
        assert name_of(requirement) in tested, f'constraints.txt lacks {requirement.name}'
        assert requirement.specifier.contains(tested[name_of(requirement)]), requirement


def test_the_lowest_versions_are_the_lower_bounds():
    lowest = versions('constraints-lowest.txt')
    runtime = requirements(end='TEST =')
    assert {name_of(requirement) for requirement in runtime} == set(lowest)
    for requirement in runtime:
        bounds = {bound.operator: Version(bound.version) for bound in requirement.specifier}
        assert bounds.get('>=', bounds.get('==')) == lowest[name_of(requirement)], requirement
        assert {'<', '=='} & set(bounds), f'{requirement} has no upper bound'


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    # From a copy, so that nothing is left in the tree.
    copy = folder / 'tree'
    command = ['git', '-C', str(ROOT), 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    for name in subprocess.run(command, capture_output=True, check=True).stdout.decode().split('\0'):
        if name and (ROOT / name).is_file() and not name.startswith('tests/'):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, '-m', 'build', '--wheel', '--no-isolation', '--outdir', str(folder), str(copy)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (built,) = folder.glob('*.whl')
    return built


def test_wheel_has_recipes_data_set_pages_and_templates_but_no_gin_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert 'stackgan_tf/gin/text/painted_birds.gin' in names
    assert {'stackgan_tf/gin/quickstart.gin', 'stackgan_tf/gin/base/stackgan_v2.gin', 'stackgan_tf/py.typed'} <= set(
        names
    )
    assert 'stackgan_tf/data/painted_birds/README.md' in names
    assert 'stackgan_tf/data/published/cub200_captions/README.md' in names
    assert {'stackgan_tf/saved_models/templates/models.config', 'stackgan_tf/human_study/page.html'} <= set(names)
    assert not [name for name in names if name.startswith(('gin/', 'tests/', 'tools/'))]


def test_wheel_works_from_another_directory(wheel, tmp_path):
    target = tmp_path / 'site'
    zipfile.ZipFile(wheel).extractall(target)
    script = (
        'import sys; sys.path.insert(0, sys.argv.pop(1)); import stackgan_tf; '
        "assert 'site' in stackgan_tf.__file__, stackgan_tf.__file__; "
        "import runpy; runpy.run_module('stackgan_tf.train', run_name='__main__')"
    )
    arguments = ['--gin_file=gin/quickstart.gin', '--gin_param=SIZES = (8,)', '--dry_run']
    command = [sys.executable, '-c', script, str(target), *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    assert 'Phase tree' in result.stdout


def test_an_installed_wheel_draws_a_bird_with_the_preset(wheel, tmp_path):
    site = tmp_path / 'site'
    command = [sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index', '--target', str(site)]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True, timeout=120)
    command = [sys.executable, '-m', 'stackgan_tf.sample', '--caption=a small red bird', '--count=1', '--output=birds']
    environment = {**os.environ, 'PYTHONPATH': str(site)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith('Model: the preset painted_birds, which comes with the package')
    image = np.asarray(Image.open(tmp_path / 'birds' / 'caption_000_seed_000000.png'))
    assert image.shape == (64, 64, 3)
    red, green, _ = np.moveaxis(image.astype(int), -1, 0)
    assert (red - green > 60).mean() > 0.02  # a part of the image is red
    assert len(list((site / 'stackgan_tf' / 'presets' / 'painted_birds').iterdir())) == 3
