"""Exports for TensorFlow Serving and TF Hub."""

import http.server
import json
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf
import yaml
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig
from tiny_text_model import text_generator

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.saved_models import serving_export, verification
from stackgan_tf.saved_models.config_protos import BatchingParameters, MonitoringConfig, read_config
from stackgan_tf.saved_models.hub_export import export_for_hub
from stackgan_tf.saved_models.model_card import Origin, model_card
from stackgan_tf.saved_models.serving_export import ServingOptions, export_for_serving, name_of, versions_of
from stackgan_tf.saved_models.warmup import read_warmup
from stackgan_tf.system.errors import UserError

UNCHECKED = lambda generator: lambda export: None  # noqa: E731


@pytest.fixture(scope='module')
def generator():
    return text_generator()


@pytest.fixture(scope='module')
def served(generator, tmp_path_factory):
    folder = tmp_path_factory.mktemp('served') / 'deep' / 'served'
    assert export_for_serving(generator, folder, ServingOptions('birds', 3, (1, 4))) == folder / 'birds' / '3'
    return folder


def test_the_folder_is_complete(served):
    assert [path.name for path in served.parent.iterdir()] == ['served']
    assert {path.name for path in served.iterdir()} == {
        'README.md',
        'batching_parameters.txt',
        'birds',
        'docker-compose.gpu.yaml',
        'docker-compose.yaml',
        'kubernetes.gpu.yaml',
        'kubernetes.yaml',
        'models.config',
        'monitoring.config',
    }
    assert [path.name for path in (served / 'birds').iterdir()] == ['3']


def test_the_warm_up_file_has_a_request_of_each_allowed_size(served):
    requests = list(read_warmup(served / 'birds' / '3'))
    assert [request.model_spec.name for request in requests] == ['birds', 'birds']
    inputs = [{name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()} for request in requests]
    assert [(len(each['caption']), each['seed'].tolist()) for each in inputs] == [(1, [0]), (4, [0, 1, 2, 3])]


def test_the_configuration_parses_as_the_servers_messages(served):
    (model,) = read_config(served / 'models.config', ModelServerConfig).model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ('birds', '/models/birds', 'tensorflow')
    batching = read_config(served / 'batching_parameters.txt', BatchingParameters)
    assert (batching.max_batch_size.value, list(batching.allowed_batch_sizes)) == (4, [1, 4])
    monitoring = read_config(served / 'monitoring.config', MonitoringConfig)
    assert monitoring.prometheus_config.path == '/monitoring/prometheus/metrics'
    (served.parent / 'wrong.txt').write_text('max_batch: 3')
    with pytest.raises(UserError, match='is no BatchingParameters: 1:1'):
        read_config(served.parent / 'wrong.txt', BatchingParameters)
    (served.parent / 'wrong.txt').unlink()


def test_docker_compose_and_kubernetes_start_the_same_server(served):
    compose = yaml.safe_load((served / 'docker-compose.yaml').read_text())['services']['birds']
    on_gpu = yaml.safe_load((served / 'docker-compose.gpu.yaml').read_text())['services']['birds']
    assert (compose['image'], on_gpu['image']) == ('tensorflow/serving:latest', 'tensorflow/serving:latest-gpu')
    for name, limits in (('kubernetes', {'memory': '4Gi'}), ('kubernetes.gpu', {'memory': '4Gi', 'nvidia.com/gpu': 1})):
        volume, deployment, service = yaml.safe_load_all((served / f'{name}.yaml').read_text())
        pod = deployment['spec']['template']['spec']
        (container,) = pod['containers']
        assert container['args'] == compose['command']
        assert container['resources']['limits'] == limits
        assert container['readinessProbe']['httpGet']['path'] == '/v1/models/birds'
        assert pod['volumes'][0]['persistentVolumeClaim']['claimName'] == volume['metadata']['name']
        assert [port['port'] for port in service['spec']['ports']] == [8500, 8501]
    for argument in compose['command']:
        flag, _, value = argument.partition('=')
        assert value == 'true' or (served / value.removeprefix('/models/')).is_file(), flag
        assert argument in (served / 'README.md').read_text()


@pytest.mark.parametrize('kind', ['text', 'class', 'embedding', 'unconditional'])
def test_the_requests_of_the_readme_are_json_and_python(generator, kind):
    network = TreeGenerator(
        sizes=(8,),
        noise_dimension=5,
        generator_width=8,
        residual_blocks=1,
        embedding_dimension=12 * (kind != 'unconditional'),
        condition_dimension=3,
    )
    of_kind = {
        'text': generator,
        'class': NetworkGenerator(network, class_names=[str(number) for number in range(12)]),
    }.get(kind, NetworkGenerator(network))
    text = serving_export._filled('serving.md', serving_export._CPU, of_kind, ServingOptions('birds'))
    printed = subprocess.run(
        ['bash', '-c', 'echo ' + text.split('curl -s -d ')[1].split(' http:')[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    inputs = json.loads(printed.stdout)['inputs']
    assert set(inputs) - {'seed'} == (
        {{'text': 'caption'}.get(kind, {'class': 'label'}.get(kind, kind))} - {'unconditional'}
    )
    assert len(inputs.get('embedding', [[0] * 12])[0]) == 12 or kind != 'embedding'
    compile(text.split('```python\n')[1].split('```')[0], 'README', 'exec')


def test_a_new_version_is_added_to_the_folder(generator, served, monkeypatch):
    monkeypatch.setattr(serving_export, 'generator_check', UNCHECKED)
    (served / 'models.config').write_text('# edited\n' + (served / 'models.config').read_text())
    (served / 'birds' / '10.bak').mkdir()
    export_for_serving(generator, served, ServingOptions('birds', 4, (1, 4)))
    assert [path.name for path in versions_of(served / 'birds')] == ['3', '4']
    assert (served / 'models.config').read_text().startswith('# edited')
    for name in ('4', '10.bak'):
        shutil.rmtree(served / 'birds' / name)
    for name, version in (('birds', 3), ('fish', 1)):
        with pytest.raises(UserError, match='exists: remove it or name another folder'):
            export_for_serving(generator, served, ServingOptions(name, version))


@pytest.mark.parametrize('sizes', [(1, 4, 8), (1,), (1, 2, 4)])
def test_versions_share_their_batch_sizes(generator, served, monkeypatch, sizes):
    monkeypatch.setattr(serving_export, 'generator_check', UNCHECKED)
    with pytest.raises(UserError, match=r'is for all versions: export this one with --batch_sizes=1,4 too, or to'):
        export_for_serving(generator, served, ServingOptions('birds', 4, sizes))
    assert [path.name for path in (served / 'birds').iterdir()] == ['3']


@pytest.mark.parametrize(
    ('sizes', 'embedding', 'difference'),
    [
        ((8, 16), 0, "has kind 'text', this model 'unconditional'"),
        ((8, 16), 12, "has kind 'text', this model 'embedding'"),
        ((16,), 12, r'has sizes \(8, 16\), this model \(16,\)'),
    ],
)
def test_versions_share_their_interface(generator, served, monkeypatch, sizes, embedding, difference):
    monkeypatch.setattr(serving_export, 'generator_check', UNCHECKED)
    network = TreeGenerator(
        sizes=sizes,
        noise_dimension=5,
        generator_width=8,
        residual_blocks=1,
        embedding_dimension=embedding,
        condition_dimension=3,
    )
    other = NetworkGenerator(network, generator.encoder if sizes == (16,) else None)
    with pytest.raises(UserError, match=f'{difference}: its clients would fail with this version'):
        export_for_serving(other, served, ServingOptions('birds', 4, (1, 4)))
    assert [path.name for path in (served / 'birds').iterdir()] == ['3']


@pytest.mark.parametrize('name', ['no', 'null', 'true', 'e1', 'x-1'])
def test_names_stay_strings_in_yaml(generator, name):
    def filled(template):
        return list(yaml.safe_load_all(serving_export._filled(template, serving_export._GPU, generator, options)))

    options = ServingOptions(name)
    for template in ('docker-compose.yaml', 'docker-compose.gpu.yaml'):
        assert list(filled(template)[0]['services']) == [name]
    volume, deployment, service = filled('kubernetes.yaml')
    pod = deployment['spec']['template']
    assert [each['metadata']['name'] for each in (volume, deployment, service)] == [f'{name}-models', name, name]
    labels = [
        deployment['metadata']['labels'],
        deployment['spec']['selector']['matchLabels'],
        pod['metadata']['labels'],
    ]
    assert [*labels, service['spec']['selector']] == [{'app': name}] * 4
    assert pod['spec']['containers'][0]['readinessProbe']['httpGet']['path'] == f'/v1/models/{name}'


def test_a_failed_check_leaves_nothing(generator, tmp_path, monkeypatch):
    trial = verification.Trial('images', {'seed': np.arange(2)}, {})
    monkeypatch.setattr(verification, '_SCRIPT', 'nowhere.py')
    with pytest.raises(UserError, match=r'cannot be used by a fresh process \(.*nowhere.py'):
        verification.check_export(tmp_path, [trial])

    def fail(export):
        raise UserError('another image')

    for module in ('hub_export', 'serving_export'):
        monkeypatch.setattr(f'stackgan_tf.saved_models.{module}.generator_check', lambda generator: fail)
    with pytest.raises(UserError, match='another image'):
        export_for_serving(generator, tmp_path / 'new' / 'served', ServingOptions('birds'))
    with pytest.raises(UserError, match='another image'):
        export_for_hub(generator, tmp_path / 'new' / 'birds.tar.gz', '')
    assert not list(tmp_path.iterdir())


def test_the_tolerance_of_the_verification():
    image = np.full((1, 2, 2, 3), 100, np.uint8)
    assert verification._alike(image + 1, image, 1)
    assert not verification._alike(image + 2, image, 1)
    assert not verification._alike(None, image, 1)
    assert not verification._alike(image[:, :1], image, 1)
    assert verification._alike(np.float32([1.00001]), np.float32([1]), 1e-4)
    assert not verification._alike(np.float32([np.nan]), np.float32([1]), 1e-4)


def test_names_and_batch_sizes():
    texts = ('Painted_Birds 64px', '__', 'a' * 60, '2024', '3birds', '1' * 60, '\N{SUPERSCRIPT TWO}')
    assert [name_of(text) for text in texts] == [
        'painted-birds-64px',
        'stackgan',
        'a' * 50,
        'stackgan-2024',
        'stackgan-3birds',
        f'stackgan-{"1" * 41}',
        'stackgan',
    ]
    for name in map(name_of, texts):
        ServingOptions(name)
    for name in ('Birds', '-a', 'a-', '', 'a/b', 'a' * 51, '2024', '1e5', '3birds', '0x1f', 'a\n'):
        with pytest.raises(UserError, match='lower-case letters, digits and dashes, a letter first'):
            ServingOptions(name)
    for sizes in ((), (0, 1), (2, 1), (1, 1), (1, 1000)):
        with pytest.raises(UserError, match='must rise'):
            ServingOptions('birds', 1, sizes)


ELSEWHERE = """
import sys
sys.modules['stackgan_tf'] = None  # importing it fails
import tensorflow as tf, tensorflow_hub as hub
model = hub.load(sys.argv[1])
serve = model.signatures['serving_default']
png = serve(caption=tf.constant(['a red bird']), seed=tf.constant([7], tf.int64))['image_bytes']
tf.io.write_file('hub.png', png[0])
"""


def test_a_hub_handle(generator, tmp_path, monkeypatch):
    card = model_card('birds', generator, Origin('StackGANv2', 8000, 6000, 'painted_birds/76px', '', 'CC0'))
    export_for_hub(generator, tmp_path / 'birds.tar.gz', card)
    (tmp_path / 'own.tar.gz').touch()
    with pytest.raises(UserError, match='exists'):
        export_for_hub(generator, tmp_path / 'own.tar.gz', card)
    with pytest.raises(UserError, match=r'does not end with \.tar\.gz'):
        export_for_hub(generator, tmp_path / 'birds.zip', card)
    handler = lambda *arguments: http.server.SimpleHTTPRequestHandler(*arguments, directory=tmp_path)  # noqa: E731
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, 'log_message', lambda *_: None)
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        handle = f'http://127.0.0.1:{server.server_port}/birds.tar.gz'
        monkeypatch.setenv('TFHUB_CACHE_DIR', str(tmp_path / 'cache'))
        subprocess.run(
            [sys.executable, '-c', ELSEWHERE, handle], cwd=tmp_path, check=True, capture_output=True, timeout=300
        )
        server.shutdown()
    (page,) = (tmp_path / 'cache').glob('*/README.md')
    assert page.read_text() == card
    found = tf.io.decode_png((tmp_path / 'hub.png').read_bytes()).numpy()
    np.testing.assert_array_equal(found, generator.generate(['a red bird'], seed=7)[0])


def test_a_model_card_has_what_is_known(generator):
    of_ten = {'count': 10, 'spread_is': 'standard error', 'protocol': 'images of ten captions'}
    report = {
        'metrics': {
            'diversity': {'value': 0.5, 'spread': 0.01, **of_ten},
            'fid': {'value': 9, 'spread': None, **of_ten},
        }
    }
    card = model_card('birds', generator, Origin('StackGANv2', 8000, 6000, 'birds', 'research only', 'CC0', report))
    for line in (
        'Captions to images by StackGANv2, 8,000 steps',
        'birds, 6,000 images. License of the data: research only.',
        'CC0',
        '| diversity | 0.500 | 0.010 (standard error) | 10 | images of ten captions |',
        '| fid | 9.000 |  | 10 |',
    ):
        assert line in card
    unknown = model_card('birds', generator, Origin('StackGANv2', 1, 6))
    for line in ('Not measured.', 'License of the data: unknown', 'Not stated.'):
        assert line in unknown
    compile(card.split('```python\n')[1].split('```')[0], 'card', 'exec')
