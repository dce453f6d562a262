import pytest
from image_files import photograph, save


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache' / 'image_folders'


@pytest.fixture
def root(tmp_path):
    """A folder of five images."""
    for number in range(5):
        save(tmp_path / 'images' / f'{number}.png', photograph(40, 50 + 10 * number, number))
    return tmp_path / 'images'
