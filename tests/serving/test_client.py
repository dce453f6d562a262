"""The client against the development server, by gRPC and REST: warm-up, batching, errors, load."""

import json
import threading
import time
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
from command_runs import assert_one_line, command, run
from development_server.batching import BatchQueue, TooLargeError
from development_server.prediction_service import load_models, serving
from served_folder import served_folder

from stackgan_tf.serving import connections
from stackgan_tf.serving.client_requests import requested_images, requests_of
from stackgan_tf.serving.connections import BusyError, GrpcConnection, RestConnection, with_retries
from stackgan_tf.serving.load_test import run_load
from stackgan_tf.system.errors import UserError

CAPTIONS = np.array([f'a bird with {number} red feathers'.encode() for number in range(4)])


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return load_models(served_folder(tmp_path_factory.mktemp('served')))['birds']


@pytest.fixture(scope='module')
def ports(model):
    with serving({'birds': model}) as ports:
        yield ports


@pytest.fixture(scope='module')
def by_grpc(ports):
    return GrpcConnection(f'127.0.0.1:{ports[0]}', 'birds', 60.0)


@pytest.fixture(scope='module')
def by_rest(ports):
    return RestConnection(f'127.0.0.1:{ports[1]}', 'birds', 60.0)


def request(*rows):
    return {'caption': CAPTIONS[list(rows)], 'seed': np.array(rows, np.int64)}


def test_the_warm_up_covers_every_allowed_size(model):
    assert (model.version, model.warmed_up) == (1, 3)


def test_grpc_and_rest_give_the_same_bytes_alone_padded_and_batched(by_grpc, by_rest):
    alone = [by_grpc.images(request(row))[0] for row in range(4)]
    assert by_grpc.images(request(0, 1, 2)) == alone[:3]  # padded to 4
    assert by_rest.images(request(0, 1, 2, 3)) == alone
    assert len(set(alone)) == 4
    found = [None] * 4
    threads = [
        threading.Thread(target=lambda row=row: found.__setitem__(row, by_grpc.images(request(row))[0]))
        for row in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def send(ports, path, content=None):
    body = None if content is None else json.dumps(content).encode()
    try:
        with urllib.request.urlopen(f'http://127.0.0.1:{ports[1]}/v1/models/{path}', body) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)['error']


def test_rest_accepts_rows_and_columns_and_reports_errors(ports):
    (state,) = send(ports, 'birds')['model_version_status']
    assert (state['version'], state['state']) == ('1', 'AVAILABLE')
    columns = {'inputs': {'caption': ['a', 'b'], 'seed': [1, 2]}}
    rows = {'instances': [{'caption': 'a', 'seed': 1}, {'caption': 'b', 'seed': 2}]}
    assert send(ports, 'birds:predict', columns)['outputs'] == send(ports, 'birds:predict', rows)['predictions']
    embed = {'signature_name': 'embed', 'instances': ['a', 'b']}
    assert np.shape(send(ports, 'birds:predict', embed)['predictions']) == (2, 12)
    images = send(ports, 'birds/versions/1:predict', {'signature_name': 'images', **columns})['outputs']
    assert {name: np.shape(image) for name, image in images.items()} == {
        'image_8': (2, 8, 8, 3),
        'image_16': (2, 16, 16, 3),
    }
    for path, content, status, message in (
        ('fish', None, 404, 'Servable not found'),
        ('birds/versions/2', None, 404, 'Servable not found'),
        ('birds:predict', {'instances': []}, 400, 'JSON with "inputs" or "instances" is needed'),
        ('birds:predict', [], 400, 'JSON with "inputs" or "instances" is needed'),
        ('birds:predict', {'inputs': {'seed': [1]}}, 400, 'takes caption, seed, not seed'),
        ('birds:predict', {'inputs': {'caption': ['a'], 'seed': [1, 2]}}, 400, 'the same number of rows'),
        ('birds:predict', {'inputs': {'caption': ['a'], 'seed': [0.5]}}, 400, 'seed must be int64 [None]'),
        ('birds:predict', {**columns, 'signature_name': 'paint'}, 400, '"paint" not found'),
    ):
        found = send(ports, path, content)
        assert found[0] == status
        assert message in found[1]


def test_the_command_writes_the_images(ports, by_grpc, tmp_path):
    flags = [f'--server=127.0.0.1:{ports[0]}', '--model=birds', '--count=3', '--seed=5', '--batch=2', '--output=here']
    texts = ['a red bird', 'a blue bird', 'x' * 202]
    result = run(command('serving.client', *flags, *(f'--caption={text}' for text in texts)), tmp_path)
    unread = 'it does not read all: 1 of 3 captions is longer than 201 characters'
    unless = f'Unless the text encoder of birds is over bytes, {unread}'
    assert result.stdout == f'{unless}\n9 image(s) are in here\n', result.stderr
    written = (tmp_path / 'here' / 'caption_001_seed_000007.png').read_bytes()
    inputs = {'caption': np.array([b'a blue bird']), 'seed': np.array([7])}
    assert by_grpc.images(inputs) == [written]
    refused = run(command('serving.client', *flags[:1], '--model=fish', '--caption=a'), tmp_path)
    assert_one_line(refused, 'Servable not found for request: fish (NOT_FOUND)')


def test_a_load_is_measured(by_rest):
    def send(number):
        if number == 3:
            raise UserError('no')
        return by_rest.images(request(number % 4))

    load = run_load(send, 12, 4, 60.0)
    assert (len(load.latencies), load.failures) == (11, ('no',))
    assert 'requests/s' in load.describe(1)
    assert '99 % within' in load.describe(1)
    assert not run_load(send, 12, 4, -1.0).latencies
    for requests, at_once in ((0, 1), (10_001, 1), (1, 65)):
        with pytest.raises(UserError, match='a load is at most'):
            run_load(send, requests, at_once, 1.0)


def test_refused_requests_and_absent_servers(by_grpc, by_rest, ports, monkeypatch):
    for connection in (by_grpc, by_rest):
        with pytest.raises(UserError, match='a request of 5 rows is larger than the largest batch, 4'):
            connection.images(request(0, 0, 0, 0, 0))
    monkeypatch.setattr(connections, '_FIRST_PAUSE', 0.0)
    for kind in (GrpcConnection, RestConnection):
        nobody = kind('127.0.0.1:9', 'birds', 5.0)
        with pytest.raises(UserError, match=r'127.0.0.1:9: .*\(3 attempts\): is the server running'):
            with_retries(lambda nobody=nobody: nobody.images(request(0)), 3)
    with pytest.raises(UserError, match='does not answer with images: name the REST port'):
        RestConnection(f'127.0.0.1:{ports[0]}', 'birds', 5.0).images(request(0))


def test_a_timeout(model):
    slow = type('Slow', (), {'predict': lambda *_: time.sleep(1), 'name': 'birds', 'version': 1})()
    with serving({'birds': slow}) as ports:
        for kind, port in zip((GrpcConnection, RestConnection), ports, strict=True):
            with pytest.raises(UserError, match=r'did not answer within 0\.2 seconds: raise --timeout'):
                kind(f'127.0.0.1:{port}', 'birds', 0.2).images(request(0))


def test_a_busy_server_is_retried(monkeypatch):
    monkeypatch.setattr(connections, '_FIRST_PAUSE', 0.0)
    responses = iter([BusyError(), BusyError(), 'image'])

    def send():
        response = next(responses)
        if isinstance(response, BusyError):
            raise response
        return response

    assert with_retries(send, 3) == 'image'


def test_images_are_limited_and_split_into_requests():
    requested = requested_images(['a', 'b'], [], 2, 5)
    assert [name for name, *_ in requested][::3] == ['caption_000_seed_000005.png', 'caption_001_seed_000006.png']
    names, inputs = next(requests_of(requested, 3))
    assert len(names) == 3
    assert (inputs['caption'].tolist(), inputs['seed'].tolist()) == ([b'a', b'a', b'b'], [5, 6, 5])
    assert next(requests_of(requested_images([], [3], 1, 0), 8))[1]['label'].tolist() == [3]
    assert list(next(requests_of(requested_images([], [], 1, 0), 8))[1]) == ['seed']
    for captions, labels, count, message in (
        (['a'], [1], 1, 'captions or labels'),
        (['a' * 1001], [], 1, 'a caption has 1001 characters: shorten it to 1000'),
        (['a', 'b'], [], 501, '1002 images are too many'),
        ([], [2**63], 1, 'a seed or label is not from 0 to'),
    ):
        with pytest.raises(UserError, match=message):
            requested_images(captions, labels, count, 0)
    with pytest.raises(UserError, match='a seed or label is not from 0 to'):
        requested_images([], [], 2, 2**63 - 1)
    for timeout in (float('nan'), float('inf'), 0.0, 1e300):
        with pytest.raises(UserError, match='is not a time of up to 86400 seconds'):
            RestConnection('127.0.0.1:9', 'birds', timeout)


def test_batches_wait_are_padded_and_never_split_a_request():
    batches, start = [], threading.Event()

    def slowly(rows):
        start.wait(10)
        batches.append(rows['x'].tolist())
        return {'y': rows['x'] * 10}

    batched = BatchQueue(slowly, 4, 0.2, (1, 4))
    found = {}
    threads = [
        threading.Thread(target=lambda rows=rows: found.__setitem__(rows, batched({'x': np.array(rows)})['y'].tolist()))
        for rows in ((1, 1, 1, 1), (2, 2), (3,), (4, 4))
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.05)  # the requests arrive in this order
    start.set()
    for thread in threads:
        thread.join()
    assert found == {rows: [10 * row for row in rows] for rows in ((1, 1, 1, 1), (2, 2), (3,), (4, 4))}
    assert batches == [[1, 1, 1, 1], [2, 2, 3, 2], [4, 4, 4, 4]]
    with pytest.raises(TooLargeError):
        batched({'x': np.zeros(5)})


def test_a_port_in_use(model, ports):
    with pytest.raises(UserError, match='a port cannot be opened'), serving({'birds': model}, ports[0]):
        pass


def test_grpc_reports_unknown_signatures(by_grpc):
    with pytest.raises(grpc.RpcError, match='not found in signature def'):
        by_grpc._predict(connections.predict_request('birds', request(0), 'paint'))
