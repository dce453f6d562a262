"""Files of Reed et al.'s text encoders, as Torch and nngraph write them, and the encoders' forward pass, on NumPy."""

import struct

import numpy as np

ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:\'"/\\|_@#$%^&*~`+-=<>()[]{} '
TENSORS = {'f4': 'Cuda', 'f8': 'Double'}


class Table:
    """A Lua table; its keys may be tables."""

    def __init__(self, *listed, **named):
        self.items = [*enumerate(listed, 1), *named.items()]


class Object:
    """A Torch object."""

    def __init__(self, class_name, **fields):
        self.class_name, self.fields = class_name, Table(**fields)


class View:
    """A tensor that is a view of a part of a storage."""

    def __init__(self, storage, offset, sizes):
        self.storage, self.offset, self.sizes = storage, offset, sizes


class Storage:
    def __init__(self, values):
        self.values = values


def t7(value):
    """The bytes of a .t7 file."""
    written = {}

    def header(tag, value):
        written[id(value)] = (len(written) + 1, value)
        return struct.pack('<2i', tag, len(written))

    def string(value):
        return struct.pack('<i', len(value)) + value.encode()

    def of_class(value, name):
        return header(4, value) + string('V 1') + string(name)

    def write(value):
        if id(value) in written:
            tag = 3 if isinstance(value, Table) else 4
            return struct.pack('<2i', tag, written[id(value)][0])
        if isinstance(value, bool):
            return struct.pack('<2i', 5, value)
        if isinstance(value, int | float):
            return struct.pack('<id', 1, value)
        if isinstance(value, str):
            return struct.pack('<i', 2) + string(value)
        if isinstance(value, Table):
            parts = [header(3, value), struct.pack('<i', len(value.items))]
            parts += [write(part) for pair in value.items for part in pair]
            return b''.join(parts)
        if isinstance(value, Object):
            return of_class(value, value.class_name) + write(value.fields)
        kind = TENSORS[(value.values if isinstance(value, Storage) else value.storage.values).dtype.str[1:]]
        if isinstance(value, Storage):
            head = of_class(value, f'torch.{kind}Storage')
            return head + struct.pack('<q', value.values.size) + value.values.tobytes()
        strides = [int(np.prod(value.sizes[i + 1 :])) for i in range(len(value.sizes))]
        shape = struct.pack(f'<i{2 * len(strides) + 1}q', len(strides), *value.sizes, *strides, value.offset + 1)
        return of_class(value, f'torch.{kind}Tensor') + shape + write(value.storage)

    return write(value)


class Parameters:
    """Tensors in one shared storage, as after `getParameters`."""

    def __init__(self, arrays):
        self.storage = Storage(np.concatenate([array.ravel() for array in arrays.values()]))
        self.places, offset = {}, 0
        for key, array in arrays.items():
            self.places[key] = (offset, array.shape)
            offset += array.size

    def fields(self, key):
        """A layer's fields: separate tensors over shared places of the storage."""
        return {name: View(self.storage, *self.places[f'{key}.{name}']) for name in ('weight', 'bias')}


def node(module, *inputs):
    """A node of nngraph; `mapindex` maps numbers to inputs and inputs to numbers."""
    data = Table(annotations=Table(), mapindex=Table(*[each.fields.items[0][1] for each in inputs]))
    data.items += [('module', module)] if module is not None else []
    mapindex = dict(data.items)['mapindex']
    mapindex.items += [(given, number) for number, given in mapindex.items.copy()]
    made = Object('nngraph.Node', data=data, children=Table(*inputs), id=1)
    children = dict(made.fields.items)['children']
    children.items += [(child, number) for number, child in children.items.copy()]
    return made


class Graph:
    """Builds a gModule, its nodes in the order of their creation."""

    def __init__(self):
        self.nodes = []

    def __call__(self, class_name, *inputs, **fields):
        self.nodes.append(node(Object(class_name, train=False, **fields), *inputs))
        return self.nodes[-1]

    def step(self, layer, *inputs):
        """A linear layer, the only one in a sequence."""
        return self('nn.Sequential', *inputs, modules=Table(Object('nn.Linear', **layer)))

    def module(self):
        modules = [dict(dict(each.fields.items)['data'].items)['module'] for each in self.nodes]
        nodes = [*self.nodes, node(None, self.nodes[-1])]  # the last is a dummy
        return Object('nn.gModule', modules=Table(*modules), forwardnodes=Table(*nodes), nInputs=1, verbose=False)


def gated_steps(graph, inputs, parameters):
    state = None
    states = []
    for x in inputs:
        candidate = graph.step(parameters.fields('input_candidate'), x)
        if state is None:
            state = graph('nn.Tanh', candidate)
        else:
            gates = []
            for name in ('update', 'reset'):
                of_input = graph.step(parameters.fields(f'input_{name}'), x)
                of_state = graph.step(parameters.fields(f'state_{name}'), state)
                gates.append(graph('nn.Sigmoid', graph('nn.CAddTable', of_input, of_state)))
            update, reset = gates
            of_state = graph.step(parameters.fields('state_candidate'), graph('nn.CMulTable', reset, state))
            new = graph('nn.Tanh', graph('nn.CAddTable', candidate, of_state))
            kept = graph('nn.AddConstant', graph('nn.MulConstant', update, constant_scalar=-1), constant_scalar=1)
            shares = graph('nn.CMulTable', update, new), graph('nn.CMulTable', kept, state)
            state = graph('nn.CAddTable', *shares)
        states.append(state)
    return states


def relu_steps(graph, inputs, parameters):
    states = []
    for x in inputs:
        h = graph.step(parameters.fields('input'), x)
        if states:
            h = graph('nn.CAddTable', h, graph.step(parameters.fields('state'), states[-1]))
        states.append(graph('nn.ReLU', h))
    return states


def parameters_of(widths, dimension, gated, seed=0):
    """Random arrays in Torch's layout, by our names."""
    generator = np.random.default_rng(seed)
    shapes, channels = {}, len(ALPHABET)
    for i, width in enumerate(widths):
        shapes[f'conv{i}'] = (width, 4 * channels)
        channels = width
    names = ('update', 'reset', 'candidate') if gated else ('',)
    shapes |= {f'{of}{"_" * gated}{name}': (channels, channels) for of in ('input', 'state') for name in names}
    shapes['embed'] = (dimension, channels)
    arrays = {}
    for name, shape in shapes.items():
        arrays[f'{name}.weight'] = generator.standard_normal(shape, np.float32) * np.float32((2 / shape[1]) ** 0.5)
        arrays[f'{name}.bias'] = generator.standard_normal(shape[0], np.float32) / 5
    return arrays


def encoder(arrays, gated, last_pool, steps=None, mean=True):
    """The encoder's module."""
    parameters = Parameters(arrays)
    features, channels = [], len(ALPHABET)
    for i in range(3):
        layer = parameters.fields(f'conv{i}')
        width = layer['bias'].sizes[0]
        features.append(Object('nn.TemporalConvolution', inputFrameSize=channels, kW=4, dW=1, **layer))
        features.append(Object('nn.Threshold', threshold=1e-6, val=0))
        if i < 2 or last_pool:
            features.append(Object('nn.TemporalMaxPooling', kW=3, dW=3 if i < 2 else 2))
        channels = width
    steps = steps or (8 if last_pool else 18)
    graph = Graph()
    inputs = [graph('nn.Identity') for _ in range(steps)]
    states = (gated_steps if gated else relu_steps)(graph, inputs, parameters)
    total = states[0]
    for state in states[1:]:
        total = graph('nn.CAddTable', total, state)
    if mean:
        graph('nn.MulConstant', total, constant_scalar=1 / steps)
    outer = Graph()
    split = outer('nn.SplitTable', outer('nn.Sequential', outer('nn.Identity'), modules=Table(*features)))
    outer.nodes.append(node(graph.module(), split))
    outer('nn.Linear', outer('nn.Dropout', outer.nodes[-1], p=0), **parameters.fields('embed'))
    return outer.module()


def checkpoint(module):
    """A checkpoint of the training script."""
    return Table(protos=Table(enc_doc=module, enc_image=Object('nn.Identity')), i=30000, opt=Table(emb_dim=1024))


def embedding_of(caption, arrays, gated, last_pool):
    """The embedding of a caption, by Reed's code."""
    x = np.zeros((201, len(ALPHABET)))
    slots = {character: slot for slot, character in enumerate(ALPHABET)}
    for t, character in enumerate(caption[:201]):
        if character in slots:
            x[t, slots[character]] = 1
    for i, (window, stride) in enumerate([(3, 3), (3, 3), (3, 2) if last_pool else (1, 1)]):
        weight, bias = arrays[f'conv{i}.weight'], arrays[f'conv{i}.bias']
        x = np.stack([weight @ x[t : t + 4].ravel() + bias for t in range(len(x) - 3)])
        x = np.where(x > 1e-6, x, 0)
        x = np.stack([x[t : t + window].max(0) for t in range(0, len(x) - window + 1, stride)])

    def linear(name, value):
        return arrays[f'{name}.weight'] @ value + arrays[f'{name}.bias']

    def sigmoid(value):
        return 1 / (1 + np.exp(-value))

    states = []
    for step in x:
        if not gated:
            states.append(np.maximum(linear('input', step) + (linear('state', states[-1]) if states else 0), 0))
        elif not states:
            states.append(np.tanh(linear('input_candidate', step)))
        else:
            h = states[-1]
            z = sigmoid(linear('input_update', step) + linear('state_update', h))
            r = sigmoid(linear('input_reset', step) + linear('state_reset', h))
            states.append(z * np.tanh(linear('input_candidate', step) + linear('state_candidate', r * h)) + (1 - z) * h)
    return linear('embed', np.mean(states, axis=0))
