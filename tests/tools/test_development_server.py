"""What the development server refuses, and what a refused request leaves alone. See also `serving/test_client.py`."""

import base64
import http.client
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from development_server.batching import BatchQueue
from development_server.prediction_service import load_models, serving
from development_server.rest import predict
from development_server.served_model import RefusedError, arrays_of
from served_folder import served_folder
from tensorflow.core.framework.tensor_pb2 import TensorProto

from stackgan_tf.saved_models.warmup import predict_request
from stackgan_tf.system.errors import UserError


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return served_folder(tmp_path_factory.mktemp('served'))


@pytest.fixture(scope='module')
def model(folder):
    return load_models(folder)['birds']


@pytest.fixture(scope='module')
def rest_port(model):
    with serving({'birds': model}) as (_, port):
        yield port


ONE = {'caption': ['a'], 'seed': [1]}


@pytest.mark.parametrize(
    ('body', 'message'),
    [
        (json.dumps({'inputs': {**ONE, 'caption': caption}}), 'caption must be string [None]')
        for caption in (
            [None],
            [5],
            [['a']],
            [['a'], ['b', 'c']],
            [{}],
            [{'b64': 'YQ==', 'c': 1}],
            ['\ud800'],
            'a',
            None,
        )
    ]
    + [
        (json.dumps({'inputs': {**ONE, 'seed': seed}}), 'seed must be int64 [None]')
        for seed in (
            [2**63],
            [-(2**63) - 1],
            [2**64],
            ['1'],
            [None],
            [True],
            [[1]],
            [[1], [2, 3]],
            '1',
            1,
            {'b64': 'YQ=='},
        )
    ]
    + [
        (json.dumps(content), message)
        for content, message in (
            ({'inputs': {**ONE, 'caption': [{'b64': 'Y'}]}}, '"b64" is not base64'),
            ({'inputs': {**ONE, 'caption': [{'b64': 5}]}}, '"b64" is not base64'),
            ({'inputs': {**ONE, 'caption': []}}, 'the same number of rows'),
            ({'inputs': 'a'}, 'takes caption, seed, not'),
            ({'inputs': {'b64': 'YQ=='}}, 'takes caption, seed, not b64'),
            ({'inputs': ONE, 'instances': [ONE]}, 'JSON with "inputs" or "instances" is needed'),
            ({'instances': 'a'}, 'JSON with "inputs" or "instances" is needed'),
            ({'instances': {'caption': 'a', 'seed': 1}}, 'JSON with "inputs" or "instances" is needed'),
            ({'instances': [{'caption': 'a', 'seed': 1}, {'caption': 'b'}]}, 'must have the same inputs'),
            ({'instances': [{'caption': 'a', 'seed': 1}, {'caption': 'b', 'seed': 1, 'c': 2}]}, 'must have the same'),
            ({'instances': [{'caption': 'a', 'seed': 1}, 'b']}, 'must have the same inputs'),
            ({'inputs': ONE, 'signature_name': []}, 'the name of a signature is a string'),
            ({'inputs': {'embedding': [[1e300] * 12]}, 'signature_name': 'latent'}, 'latent takes'),
        )
    ]
    + [
        ('[' * 100_000, 'is needed'),
        ('{"inputs":' * 50_000, 'is needed'),
        ('5' * 5000, 'is needed'),
        (b'\xff', 'is needed'),
        ('', 'is needed'),
    ],
)
def test_a_bad_request_is_refused_before_it_joins_a_batch(model, monkeypatch, body, message):
    monkeypatch.setattr(model, '_queues', dict.fromkeys(model._queues))  # calling one is a TypeError
    with pytest.raises(RefusedError, match=re.escape(message)):
        predict(model, body if isinstance(body, bytes) else body.encode())


def test_numbers_beyond_their_type_and_tensors_that_numpy_lacks(model):
    latent = {'noise': [[0.0] * 5], 'embedding': [[1e300] * 12], 'conditioning_noise': [[0] * 3]}
    with pytest.raises(RefusedError, match=re.escape('embedding must be float32 [None, 12], in its range')):
        model.predict('latent', latent)
    assert model.predict('latent', {**latent, 'embedding': [[1e-300] * 12]})['image_16'].shape == (1, 16, 16, 3)
    for tensor in (TensorProto(dtype=999), TensorProto(dtype=20), TensorProto(dtype=9, tensor_content=b'123')):
        request = predict_request('birds', {})
        request.inputs['seed'].CopyFrom(tensor)
        with pytest.raises(RefusedError, match='is not a tensor'):
            arrays_of(request)


def test_a_bad_row_leaves_its_neighbors_alone(model, monkeypatch):
    queue = BatchQueue(model._queues['serving_default']._run, 4, 0.3)
    monkeypatch.setitem(model._queues, 'serving_default', queue)
    with ThreadPoolExecutor(2) as pool:
        good = pool.submit(model.predict, 'serving_default', ONE)
        bad = pool.submit(model.predict, 'serving_default', {'caption': [None], 'seed': [1]})
        assert good.result()['image_bytes'][0].startswith(b'\x89PNG')
        with pytest.raises(RefusedError, match='caption must be string'):
            bad.result()


def test_bytes_come_as_base64(model):
    encoded = [{'b64': base64.b64encode(text).decode()} for text in (b'a red bird', b'\xff')]
    (red, _) = predict(model, json.dumps({'inputs': {'caption': encoded, 'seed': [1, 2]}}).encode())['outputs']
    rows = [{'caption': 'a red bird', 'seed': 1}]
    assert predict(model, json.dumps({'instances': rows}).encode())['predictions'] == [red]
    embed = {'signature_name': 'embed', 'instances': encoded}
    assert np.shape(predict(model, json.dumps(embed).encode())['predictions']) == (2, 12)


def answer(port, path, headers):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
    connection.putrequest('POST', f'/v1/models/{path}')
    for header in headers.items():
        connection.putheader(*header)
    connection.endheaders()
    response = connection.getresponse()
    error = json.load(response)['error']
    connection.close()
    return response.status, error


@pytest.mark.parametrize('length', ['abc', '-1', '+1', '1_0', '', '\N{SUPERSCRIPT TWO}', '9' * 5000, None])
def test_a_content_length_that_is_not_one(rest_port, length):
    headers = {} if length is None else {'Content-Length': length}
    expected = 400, 'Content-Length must be the number of bytes of the request'
    assert answer(rest_port, 'birds:predict', headers) == expected


def test_a_version_of_too_many_digits(rest_port):
    assert answer(rest_port, f'birds/versions/{"9" * 5000}', {})[0] == 404


def test_other_folders_are_not_versions_and_a_refused_warm_up_is_one_line(folder, tmp_path):
    shutil.copytree(folder, tmp_path / 'served')
    for name in ('2.bak', '3a', '\N{SUPERSCRIPT TWO}'):
        (tmp_path / 'served' / 'birds' / name).mkdir()
    assert load_models(tmp_path / 'served')['birds'].version == 1
    batching = tmp_path / 'served' / 'batching_parameters.txt'
    batching.write_text(batching.read_text().replace('value: 4', 'value: 2', 1).replace('allowed_batch_sizes: 4', ''))
    with pytest.raises(UserError, match=r'refuses a warm-up request \(a request of 4 rows .*: export it again'):
        load_models(tmp_path / 'served')
