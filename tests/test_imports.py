"""Imports between the packages point one way; `docs/architecture.md` draws them."""

import ast
from pathlib import Path

import pytest

import stackgan_tf

PACKAGE = Path(stackgan_tf.__file__).parent
# What each package or module may import of `stackgan_tf`; '' is its top, with the version and the lazy names.
ALLOWED = {
    'system': set(),
    'networks': set(),
    'losses': set(),
    'metrics': {'system'},
    'formats': {'system'},
    'runs': {'system'},
    'released': {'networks', 'formats', 'system'},
    'text': {'networks', 'formats', 'system'},
    'models': {'networks', 'losses', 'system'},
    'data': {'formats', 'text', 'system'},
    'seeded_images': {'text'},
    'generator': {'seeded_images', 'text', 'system'},
    'saved_generator': {'generator', 'seeded_images', 'text', 'formats', 'system'},
    'preset_files': {'networks', 'system'},
    'loading': {'generator', 'saved_generator', 'networks', 'text', 'runs', 'preset_files', 'system'},
    'evaluation': {'generator', 'metrics', 'data', 'text', 'formats', 'system'},
    'figures': {'generator', 'seeded_images', 'system'},
    'human_study': {'figures', 'generator', 'system'},
    'saved_models': {
        *('generator', 'saved_generator', 'seeded_images', 'networks', 'released', 'text', 'formats', 'system', '')
    },
    'serving': {'saved_models', 'text', 'system'},
    'training': {
        *('models', 'networks', 'data', 'text', 'formats', 'runs', 'system'),
        *('generator', 'loading', 'preset_files', 'evaluation', 'metrics', 'figures'),
    },
    'recipe': {'training', 'models', 'networks', 'data', 'evaluation', 'runs', 'system', ''},
    'commands': {'recipe', 'loading', 'generator', 'evaluation', 'figures', 'data', 'text', 'runs', 'system'},
    'train': {'recipe', 'runs', 'system'},
    'sample': {'loading', 'preset_files', 'figures', 'formats', 'system'},
    'evaluate': {'commands', 'preset_files', 'evaluation', 'runs', 'system'},
    'export': {'loading', 'preset_files', 'generator', 'saved_models', 'data', 'text', 'system'},
}
WITHOUT_TENSORFLOW = ('networks', 'losses', 'released', 'loading', 'serving')
WITHOUT_GIN = sorted(ALLOWED.keys() - {'recipe'})


def imports(path):
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            yield node.module


def files(package):
    return sorted((PACKAGE / package).rglob('*.py')) or [PACKAGE / f'{package}.py']


def imported_packages(package):
    """The other packages of `stackgan_tf` that a package imports, with the first file that does."""
    found = {}
    for path in files(package):
        for name in imports(path):
            if name.split('.')[0] == 'stackgan_tf' and (target := [*name.split('.'), ''][1]) != package:
                found.setdefault(target, path)
    return found


def imported_libraries(package):
    return {name.split('.')[0] for path in files(package) for name in imports(path)}


@pytest.mark.parametrize('package', ALLOWED)
def test_a_package_imports_only_packages_below_it(package):
    for target, path in imported_packages(package).items():
        assert target in ALLOWED[package], f'{path} imports {target}'


def test_every_package_and_module_has_a_rule():
    packages = {path.name for path in PACKAGE.iterdir() if (path / '__init__.py').exists()}
    modules = {path.stem for path in PACKAGE.glob('*.py')} - {'__init__'}
    assert packages | modules == set(ALLOWED)


def test_the_rules_have_no_cycle():
    left = {package: allowed - {''} for package, allowed in ALLOWED.items()}
    while lowest := [package for package, allowed in left.items() if not allowed & left.keys()]:
        for package in lowest:
            del left[package]
    assert not left


@pytest.mark.parametrize('package', WITHOUT_TENSORFLOW)
def test_packages_that_import_no_tensorflow(package):
    assert not imported_libraries(package) & {'tensorflow', 'tf_keras'}


@pytest.mark.parametrize('package', WITHOUT_GIN)
def test_only_recipes_import_gin(package):
    assert 'gin' not in imported_libraries(package)


def test_a_finished_model_opens_without_recipes_training_models_data_and_gin():
    reached, left = set(), ['loading']
    while left:
        package = left.pop()
        reached.add(package)
        left += [target for target in imported_packages(package) if target and target not in reached]
        assert 'gin' not in imported_libraries(package)
    assert not reached & {'recipe', 'models', 'training', 'data', 'evaluation', 'commands'}


def test_a_finished_model_opens_without_modules_that_windows_lacks():
    found, left = {}, [PACKAGE / 'loading.py']
    while left:
        path = left.pop()
        found[path] = set(imports(path))
        inside = [PACKAGE.parent / name.replace('.', '/') for name in found[path] if name.startswith('stackgan_tf.')]
        files_of = [file for each in inside for file in (each.with_suffix('.py'), each / '__init__.py')]
        left += [file for file in files_of if file.is_file() and file not in found]
    unix = {'fcntl', 'grp', 'posix', 'pty', 'pwd', 'resource', 'termios'}
    assert PACKAGE / 'saved_generator.py' in found
    assert [path.name for path, names in found.items() if names & unix] == ['locks.py']  # which does without


def test_importing_the_package_is_cheap_and_every_name_is_there():
    import subprocess
    import sys

    script = "import stackgan_tf, sys; assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    subprocess.run([sys.executable, '-c', script], check=True)
    for name in stackgan_tf.__all__:
        assert getattr(stackgan_tf, name)
