"""Calls a signature of an export through TensorFlow's C API: python c_api_process.py EXPORT CAPTION SEED.

TensorFlow's Python code is not imported: ctypes calls the library in its wheel, and the signature is read with protocol
buffers alone. The PNG file goes to stdout.
"""

import ctypes
import importlib.util
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

STRING, INT64 = 7, 9
TSTRING_BYTES = 24


class Buffer(ctypes.Structure):
    _fields_ = [('data', ctypes.c_void_p), ('length', ctypes.c_size_t), ('deallocator', ctypes.c_void_p)]


class Output(ctypes.Structure):
    _fields_ = [('operation', ctypes.c_void_p), ('index', ctypes.c_int)]


def library():
    folder = Path(importlib.util.find_spec('tensorflow').origin).parent
    ctypes.CDLL(str(folder / 'libtensorflow_framework.so.2'), ctypes.RTLD_GLOBAL)
    tf = ctypes.CDLL(str(folder / 'libtensorflow_cc.so.2'), ctypes.RTLD_GLOBAL)
    pointers = 'NewStatus NewGraph NewSessionOptions NewBuffer LoadSessionFromSavedModel AllocateTensor'
    for name in f'{pointers} GraphOperationByName TensorData StringGetDataPointer Message'.split():
        getattr(tf, f'TF_{name}').restype = ctypes.c_void_p
    tf.TF_StringGetSize.restype = ctypes.c_size_t
    return tf


def meta_graph_class():
    """The part of MetaGraphDef that maps the names of a signature to tensors."""
    file = descriptor_pb2.FileDescriptorProto(name='small.proto', package='small', syntax='proto3')
    field = descriptor_pb2.FieldDescriptorProto

    def message(name, *fields):
        added = file.message_type.add(name=name)
        for title, number, kind, repeated in fields:
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            one = added.field.add(name=title, number=number, label=label, type=field.TYPE_STRING)
            if kind:
                one.type, one.type_name = field.TYPE_MESSAGE, f'.small.{kind}'

    message('TensorInfo', ('name', 1, '', False))
    message('Tensor', ('key', 1, '', False), ('value', 2, 'TensorInfo', False))  # an entry of a map
    message('Signature', ('inputs', 1, 'Tensor', True), ('outputs', 2, 'Tensor', True), ('method_name', 3, '', False))
    message('Named', ('key', 1, '', False), ('value', 2, 'Signature', False))
    message('MetaGraph', ('signature_def', 5, 'Named', True))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName('small.MetaGraph'))


class Model:
    """A session of the export's graph, by the tag `serve`."""

    def __init__(self, tf, folder):
        self.tf = tf
        self.status = ctypes.c_void_p(tf.TF_NewStatus())
        self.graph = ctypes.c_void_p(tf.TF_NewGraph())
        options = ctypes.c_void_p(tf.TF_NewSessionOptions())
        buffer = ctypes.cast(tf.TF_NewBuffer(), ctypes.POINTER(Buffer))
        tags = (ctypes.c_char_p * 1)(b'serve')
        self.session = ctypes.c_void_p(
            tf.TF_LoadSessionFromSavedModel(options, None, folder.encode(), tags, 1, self.graph, buffer, self.status)
        )
        self.check()
        content = ctypes.string_at(buffer.contents.data, buffer.contents.length)
        self.signatures = {each.key: each.value for each in meta_graph_class().FromString(content).signature_def}

    def check(self):
        if self.tf.TF_GetCode(self.status):
            raise RuntimeError(ctypes.string_at(self.tf.TF_Message(self.status)).decode())

    def output(self, tensors, key):
        name, _, index = next(each.value.name for each in tensors if each.key == key).partition(':')
        operation = self.tf.TF_GraphOperationByName(self.graph, name.encode())
        assert operation, name
        return Output(operation, int(index))

    def strings(self, values):
        tensor = self.tensor(STRING, len(values), TSTRING_BYTES)
        data = self.tf.TF_TensorData(tensor)
        for row, value in enumerate(values):
            at = ctypes.c_void_p(data + row * TSTRING_BYTES)
            self.tf.TF_StringInit(at)
            self.tf.TF_StringCopy(at, value, ctypes.c_size_t(len(value)))
        return tensor

    def integers(self, values):
        tensor = self.tensor(INT64, len(values), 8)
        ctypes.memmove(self.tf.TF_TensorData(tensor), (ctypes.c_int64 * len(values))(*values), 8 * len(values))
        return tensor

    def tensor(self, kind, count, size):
        shape = (ctypes.c_int64 * 1)(count)
        return ctypes.c_void_p(self.tf.TF_AllocateTensor(kind, shape, 1, ctypes.c_size_t(count * size)))

    def run(self, signature, inputs, wanted):
        chosen = self.signatures[signature]
        assert chosen.method_name == 'tensorflow/serving/predict'
        feeds = (Output * len(inputs))(*[self.output(chosen.inputs, name) for name in inputs])
        tensors = (ctypes.c_void_p * len(inputs))(*[tensor.value for tensor in inputs.values()])
        fetches = (Output * 1)(self.output(chosen.outputs, wanted))
        found = (ctypes.c_void_p * 1)()
        self.tf.TF_SessionRun(
            self.session, None, feeds, tensors, len(inputs), fetches, found, 1, None, 0, None, self.status
        )
        self.check()
        return ctypes.c_void_p(found[0])

    def read_string(self, tensor, row=0):
        at = ctypes.c_void_p(self.tf.TF_TensorData(tensor) + row * TSTRING_BYTES)
        return ctypes.string_at(self.tf.TF_StringGetDataPointer(at), self.tf.TF_StringGetSize(at))


def main(folder, caption, seed):
    model = Model(library(), folder)
    inputs = {'caption': model.strings([caption.encode()]), 'seed': model.integers([int(seed)])}
    png = model.read_string(model.run('serving_default', inputs, 'image_bytes'))
    assert 'tensorflow' not in sys.modules
    sys.stdout.buffer.write(png)


if __name__ == '__main__':
    main(*sys.argv[1:])
