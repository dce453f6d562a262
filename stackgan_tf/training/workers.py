"""The processes that train one model together, on one host or on several, as `TF_CONFIG` names them."""

import contextlib
import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf
from tensorflow.python.eager import context as tf_context

from stackgan_tf.models.global_batch import all_rows
from stackgan_tf.system.console import say, silence
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.interruption import InterruptedRunError, StopRequest

JOIN_SECONDS = 600  # for which the first to come wait for the last
SILENCE_SECONDS = 30  # without a heartbeat, after which a worker counts as gone
FILES_SECONDS = 90  # for a file to appear on all hosts: network file systems cache listings for up to 60
_EXAMPLE = '{"cluster": {"worker": ["host-a:12345", "host-b:12345"]}, "task": {"type": "worker", "index": 0}}'
# TensorFlow raises one of these when a worker is gone, depending on the operation.
_PEER_ERRORS = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
    tf.errors.UnknownError,
)


class Workers:
    """All processes of a run; the first is the chief, which alone writes and speaks.

    Args:
        addresses: of each, `host:port`; one or none if this process trains alone.
        number: of this process.
        strategy: that all of them share; none for a process alone.
    """

    def __init__(
        self, addresses: Sequence[str] = (), number: int = 0, strategy: tf.distribute.Strategy | None = None
    ) -> None:
        self.addresses = addresses
        self.number = number
        self._strategy = strategy
        self._all_rows = tf.function(all_rows)

    @property
    def chief(self) -> bool:
        """Whether this process writes and speaks."""
        return self.number == 0

    def numbers(self, own: int) -> list[int]:
        """The numbers of all replicas' workers, in order; waits for all of them."""
        if self._strategy is None:
            return [own]
        gathered = self._strategy.run(self._all_rows, (tf.constant([own], tf.int64),))
        return self._strategy.experimental_local_results(gathered)[0].numpy().tolist()

    def agree_to_stop(self, stop: StopRequest) -> int:
        """The signal by which any worker is asked to stop, and so all are; 0 if none is."""
        if signal_number := max(self.numbers(stop.signal_number or 0)):
            stop.signal_number = signal_number
        return signal_number

    @contextlib.contextmanager
    def chief_first(self) -> Iterator[None]:
        """The chief does what is inside before the others, who may then find what it has made."""
        if not self.chief:
            self.numbers(0)
        yield
        if self.chief:
            self.numbers(0)

    def wait_for_files(self, look: Callable[[], list[int]], where: object) -> None:
        """Waits until all workers find the same files as the chief.

        Args:
            look: finds numbers in files.
            where: these files are, for people.

        Raises:
            UserError: one of them does not: the files are not shared.
        """
        seen = look()
        expected = [self.numbers(number)[0] for number in (seen if self.chief else [0] * len(seen))]
        latest = time.monotonic() + FILES_SECONDS
        while (differs := look() != expected) and time.monotonic() < latest:
            time.sleep(1)
        if max(self.numbers(differs)):
            raise UserError(
                f'not all workers see the same checkpoints in {where}: name a --workdir on a file system that all '
                'hosts share'
            )

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Ends for all workers at once, and with one line if one of them is gone.

        Raises:
            UserError: one is gone.
        """
        try:
            try:
                yield
            except InterruptedRunError:
                self.numbers(0)  # nobody leaves before the chief has written all
                raise
            self.numbers(0)
        except _PEER_ERRORS as error:
            if self._strategy is None:
                raise
            raise UserError(
                f'{self._gone(error)} has ended or cannot be reached (its own last line may say why): run the same '
                'command again on every host, it resumes from the last checkpoint'
            ) from error

    def _gone(self, error: tf.errors.OpError) -> str:
        """Which worker TensorFlow means, as far as it says so."""
        tasks = {int(number) for number in re.findall(r'/job:worker/replica:0/task:(\d+)', error.message)}
        others = sorted(tasks & set(range(len(self.addresses))) - {self.number})
        if len(self.addresses) == 2:
            others = [1 - self.number]
        if len(others) != 1:
            return 'another worker'
        return f'worker {others[0]} ({self.addresses[others[0]]})'


def join_workers() -> tuple[Workers, tf.distribute.Strategy | None]:
    """Waits for the workers that `TF_CONFIG` names; alone, and without a strategy, if it names no others.

    Belongs at the very beginning: TensorFlow must not have computed anything yet.

    Raises:
        UserError: the configuration is not valid, or the others do not come.
    """
    addresses, number = read_configuration(os.environ.get('TF_CONFIG', ''))
    if len(addresses) < 2:
        return Workers(), None
    if number:
        silence()
    _meet(addresses, number)
    context = tf_context.context()
    context.configure_coordination_service(
        'standalone',
        '/job:worker/replica:0/task:0',
        cluster_register_timeout_in_ms=1000 * JOIN_SECONDS,
        heartbeat_timeout_in_ms=1000 * SILENCE_SECONDS,
    )
    context.coordination_service.coordinated_job_list.add(name='worker', num_tasks=len(addresses))
    # One job of workers, whatever the chief is called: so that numbers mean the same everywhere.
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({'worker': addresses}), task_type='worker', task_id=number, rpc_layer='grpc'
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except tf.errors.OpError as error:
        raise UserError(
            f'worker {number} ({addresses[number]}) cannot join the others ({error.message.splitlines()[0]}): start '
            'the command on every host again'
        ) from error
    # TensorFlow's own handler would keep SIGTERM to itself.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    return Workers(addresses, number, strategy), strategy


def _meet(addresses: Sequence[str], number: int) -> None:
    """Waits until the chief's port is open, or for the chief, those of all others; TensorFlow would wait for ever.

    Raises:
        UserError: they do not come, or the own port is taken.
    """
    port = int(addresses[number].rpartition(':')[2])
    missing = list(addresses[1:] if number == 0 else addresses[:1])
    latest = time.monotonic() + JOIN_SECONDS
    try:
        door = socket.create_server(('', port))
    except OSError as error:
        raise UserError(
            f'worker {number} cannot listen at {addresses[number]} ({os.strerror(error.errno or 0)}): end what '
            'does, or change the port in TF_CONFIG'
        ) from error
    with door if number == 0 else contextlib.nullcontext():
        if number:
            door.close()  # what opens it again is TensorFlow, and the chief waits for that
        say(f'Waiting for {len(missing)} other worker(s): {", ".join(missing)} ...')
        while missing := [address for address in missing if not _is_open(address)]:
            if time.monotonic() > latest:
                raise UserError(
                    f'worker {number} has waited {JOIN_SECONDS // 60} minutes for {", ".join(missing)}: start the same '
                    'command on every host, and see that the ports in TF_CONFIG can be reached'
                )
            time.sleep(0.2)


def _is_open(address: str) -> bool:
    host, _, port = address.rpartition(':')
    try:
        socket.create_connection((host.strip('[]'), int(port)), timeout=2).close()
    except OSError:
        return False
    return True


def read_configuration(text: str) -> tuple[list[str], int]:
    """Reads `TF_CONFIG`: the addresses of all workers, the chief's first, and the number of this process.

    Args:
        text: JSON; '' for a process alone.

    Raises:
        UserError: it is not valid.
    """
    if not text.strip():
        return [], 0
    try:
        cluster, task = _parts(json.loads(text))
    except (ValueError, ArithmeticError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise UserError(f'TF_CONFIG is not like {_EXAMPLE} ({type(error).__name__}: {error})') from error
    if unknown := sorted(cluster.keys() - {'chief', 'worker'}):
        raise UserError(f'TF_CONFIG names {", ".join(unknown)}: training here has workers alone, and maybe one chief')
    addresses = [*cluster.get('chief', []), *cluster.get('worker', [])]
    for address in addresses:
        found = re.fullmatch(r'(\[[0-9a-fA-F:]+\]|[^\s:/]+):([0-9]{1,5})', str(address))
        if not found or not 0 < int(found[2]) < 2**16:
            raise UserError(f'TF_CONFIG names the worker {address!r}: an address looks like host-a:12345')
    if len(set(addresses)) < len(addresses):
        raise UserError('TF_CONFIG names one address twice: each worker needs its own host or port')
    if not addresses:
        return [], 0
    kind, index = task
    if kind not in cluster or not 0 <= index < len(cluster[kind]):
        raise UserError(f'TF_CONFIG says that this is {kind} {index}, but the cluster it names has no such task')
    return addresses, index + (len(cluster.get('chief', [])) if kind == 'worker' else 0)


def _parts(config: dict) -> tuple[dict[str, list[str]], tuple[str, int]]:
    cluster = {kind: list(addresses) for kind, addresses in config.get('cluster', {}).items() if addresses}
    return cluster, (str(config['task']['type']), int(config['task']['index'])) if cluster else ('', 0)
