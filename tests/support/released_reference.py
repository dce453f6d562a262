"""A second implementation of the released networks, from their key tables: channels first, on NumPy or PyTorch.

It is independent of the package. A network is its weights by key; `*_shapes` functions list the keys in their order.
"""

import numpy as np
from released_arithmetic import OnNumpy


class Release:
    """The released networks' forward passes in inference mode.

    Args:
        weights: arrays by key.
        on: the operations, `OnNumpy` or an `OnTorch`.
    """

    def __init__(self, weights, on=OnNumpy):
        self.weights, self.on = weights, on

    def linear(self, key, x):
        x = x @ self.weights[f'{key}.weight'].T
        return x + self.weights[f'{key}.bias'] if f'{key}.bias' in self.weights else x

    def norm(self, key, x):
        parts = ('weight', 'bias', 'running_mean', 'running_var')
        return self.on.normalize(x, *(self.weights[f'{key}.{part}'] for part in parts))

    def conv(self, key, x, stride=1, padding=1):
        x = self.on.conv(x, self.weights[f'{key}.weight'], stride, padding)
        return x + self.weights[f'{key}.bias'][None, :, None, None] if f'{key}.bias' in self.weights else x

    def glu(self, x):
        half = x.shape[1] // 2
        return x[:, :half] * self.on.sigmoid(x[:, half:])

    def relu(self, x):
        return self.on.leaky(x, 0.0)

    def leaky(self, x):
        return self.on.leaky(x, 0.2)

    def normed(self, key, place, x, stride=1, padding=1):
        return self.norm(f'{key}.{place + 1}', self.conv(f'{key}.{place}', x, stride, padding))

    def up(self, key, x, activation):
        return activation(self.normed(key, 1, self.on.double(x)))

    def condition(self, key, embedding, epsilon, activation):
        h = activation(self.linear(key, embedding))
        mu, log_variance = h[:, : h.shape[1] // 2], h[:, h.shape[1] // 2 :]
        return epsilon * self.on.exp(0.5 * log_variance) + mu

    def tree(self, z, embedding=None, epsilon=None):
        """v2's generator: images small to large."""
        c, start = z, z
        if embedding is not None:
            c = self.condition('ca_net.fc', embedding, epsilon, self.glu)
            start = self.on.concatenate((c, z), 1)
        h = self.glu(self.norm('h_net1.fc.1', self.linear('h_net1.fc.0', start)))
        h = h.reshape(len(h), -1, 4, 4)
        for i in range(1, 5):
            h = self.up(f'h_net1.upsample{i}', h, self.glu)
        images = [self.on.tanh(self.conv('img_net1.img.0', h))]
        branch = 2
        while f'h_net{branch}.jointConv.0.weight' in self.weights:
            h = self.on.concatenate((self.on.tile(c, h.shape[2]), h), 1)
            h = self.glu(self.normed(f'h_net{branch}.jointConv', 0, h))
            i = 0
            while f'h_net{branch}.residual.{i}.block.0.weight' in self.weights:
                key = f'h_net{branch}.residual.{i}.block'
                h = h + self.normed(key, 3, self.glu(self.normed(key, 0, h)))
                i += 1
            h = self.up(f'h_net{branch}.upsample', h, self.glu)
            images.append(self.on.tanh(self.conv(f'img_net{branch}.img.0', h)))
            branch += 1
        return images

    def scale_discriminator(self, image, mu=None):
        """v2's discriminators: the logits of the release's two outputs, or of its only one."""
        h = self.leaky(self.conv('img_code_s16.0', image, 2))
        for place in (2, 5, 8):
            h = self.leaky(self.normed('img_code_s16', place, h, 2))
        for key, stride in (('s32', 2), ('s32_1', 1), ('s64', 2), ('s64_1', 1), ('s64_2', 1)):
            if f'img_code_{key}.0.weight' in self.weights:
                h = self.leaky(self.normed(f'img_code_{key}', 0, h, stride))
        if mu is None:
            return [self.conv('logits.0', h, 4, 0).reshape(-1)]
        joint = self.on.concatenate((self.on.tile(mu, 4), h), 1)
        joint = self.leaky(self.normed('jointConv', 0, joint))
        return [self.conv('logits.0', joint, 4, 0).reshape(-1), self.conv('uncond_logits.0', h, 4, 0).reshape(-1)]

    def stage_one(self, z, embedding, epsilon, prefix=''):
        """v1's Stage-I generator."""
        c = self.condition(f'{prefix}ca_net.fc', embedding, epsilon, self.relu)
        h = self.linear(f'{prefix}fc.0', self.on.concatenate((z, c), 1))
        h = self.relu(self.norm(f'{prefix}fc.1', h)).reshape(len(z), -1, 4, 4)
        for i in range(1, 5):
            h = self.up(f'{prefix}upsample{i}', h, self.relu)
        return self.on.tanh(self.conv(f'{prefix}img.0', h))

    def stage_two(self, z, embedding, first_epsilon, epsilon):
        """v1's two generators: the images of both."""
        small = self.stage_one(z, embedding, first_epsilon, 'STAGE1_G.')
        h = self.relu(self.conv('encoder.0', small))
        for place in (2, 5):
            h = self.relu(self.normed('encoder', place, h, 2))
        c = self.condition('ca_net.fc', embedding, epsilon, self.relu)
        h = self.relu(self.normed('hr_joint', 0, self.on.concatenate((h, self.on.tile(c, h.shape[2])), 1)))
        i = 0
        while f'residual.{i}.block.0.weight' in self.weights:
            inner = self.relu(self.normed(f'residual.{i}.block', 0, h))
            h = self.relu(h + self.normed(f'residual.{i}.block', 3, inner))
            i += 1
        for i in range(1, 5):
            h = self.up(f'upsample{i}', h, self.relu)
        return [small, self.on.tanh(self.conv('img.0', h))]

    def stage_discriminator(self, image, mu):
        """v1's discriminators: the conditional logit, and in Stage-II the unconditional one."""
        h = self.leaky(self.conv('encode_img.0', image, 2))
        place = 2
        while f'encode_img.{place}.weight' in self.weights:
            stride = 2 if self.weights[f'encode_img.{place}.weight'].shape[2] == 4 else 1
            h = self.leaky(self.normed('encode_img', place, h, stride))
            place += 3
        joint = self.on.concatenate((h, self.on.tile(mu, 4)), 1)
        joint = self.leaky(self.normed('get_cond_logits.outlogits', 0, joint))
        logits = [self.conv('get_cond_logits.outlogits.3', joint, 4, 0).reshape(-1)]
        if 'get_uncond_logits.outlogits.0.weight' in self.weights:
            logits.append(self.conv('get_uncond_logits.outlogits.0', h, 4, 0).reshape(-1))
        return logits


def norm_shapes(key, channels):
    parts = ('weight', 'bias', 'running_mean', 'running_var')
    return {f'{key}.{part}': (channels,) for part in parts}


def normed_shapes(key, place, shape):
    return {f'{key}.{place}.weight': shape} | norm_shapes(f'{key}.{place + 1}', shape[0])


def linear_shapes(key, out, inputs):
    return {f'{key}.weight': (out, inputs), f'{key}.bias': (out,)}


def tree_shapes(width=64, embedding=1024, condition=128, noise=100, residual=2, branches=3):
    """v2's generator; by default that of birds. `embedding=0`: without captions."""
    shapes = linear_shapes('ca_net.fc', 4 * condition, embedding) if embedding else {}
    joined = condition if embedding else noise
    channels = 16 * width
    shapes |= {'h_net1.fc.0.weight': (32 * channels, noise + (condition if embedding else 0))}
    shapes |= norm_shapes('h_net1.fc.1', 32 * channels)
    for i in range(1, 5):
        shapes |= normed_shapes(f'h_net1.upsample{i}', 1, (channels, channels, 3, 3))
        channels //= 2
    shapes |= {'img_net1.img.0.weight': (3, width, 3, 3)}
    for branch in range(2, branches + 1):
        shapes |= normed_shapes(f'h_net{branch}.jointConv', 0, (2 * channels, joined + channels, 3, 3))
        for i in range(residual):
            shapes |= normed_shapes(f'h_net{branch}.residual.{i}.block', 0, (2 * channels, channels, 3, 3))
            shapes |= normed_shapes(f'h_net{branch}.residual.{i}.block', 3, (channels, channels, 3, 3))
        shapes |= normed_shapes(f'h_net{branch}.upsample', 1, (channels, channels, 3, 3))
        channels //= 2
        shapes |= {f'img_net{branch}.img.0.weight': (3, channels, 3, 3)}
    return shapes


def scale_discriminator_shapes(size, width=64, condition=128):
    """v2's discriminators of 64, 128 and 256 pixels; `condition=0`: without captions."""
    shapes = {'img_code_s16.0.weight': (width, 3, 4, 4)}
    for i, place in enumerate((2, 5, 8)):
        shapes |= normed_shapes('img_code_s16', place, (width << (i + 1), width << i, 4, 4))
    down = {64: [], 128: [('s32', 8)], 256: [('s32', 8), ('s64', 16)]}[size]
    across = {64: [], 128: [('s32_1', 16)], 256: [('s64_1', 32), ('s64_2', 16)]}[size]
    for key, times in down:
        shapes |= normed_shapes(f'img_code_{key}', 0, (2 * times * width, times * width, 4, 4))
    for key, times in across:
        shapes |= normed_shapes(f'img_code_{key}', 0, (times * width // 2, times * width, 3, 3))
    logit = {'weight': (1, 8 * width, 4, 4), 'bias': (1,)}
    shapes |= {f'logits.0.{part}': shape for part, shape in logit.items()}
    if condition:
        shapes |= normed_shapes('jointConv', 0, (8 * width, condition + 8 * width, 3, 3))
        shapes |= {f'uncond_logits.0.{part}': shape for part, shape in logit.items()}
    return shapes


def stage_one_shapes(width=192, embedding=1024, condition=128, noise=100, prefix=''):
    """v1's Stage-I generator; by default that of COCO."""
    channels = 8 * width
    shapes = linear_shapes(f'{prefix}ca_net.fc', 2 * condition, embedding)
    shapes |= {f'{prefix}fc.0.weight': (16 * channels, noise + condition)} | norm_shapes(f'{prefix}fc.1', 16 * channels)
    for i in range(1, 5):
        shapes |= normed_shapes(f'{prefix}upsample{i}', 1, (channels // 2, channels, 3, 3))
        channels //= 2
    return shapes | {f'{prefix}img.0.weight': (3, channels, 3, 3)}


def stage_two_shapes(width=192, embedding=1024, condition=128, noise=100, residual=2):
    """v1's two generators; by default those of COCO."""
    shapes = stage_one_shapes(width, embedding, condition, noise, 'STAGE1_G.')
    shapes |= linear_shapes('ca_net.fc', 2 * condition, embedding)
    shapes |= {'encoder.0.weight': (width, 3, 3, 3)}
    shapes |= normed_shapes('encoder', 2, (2 * width, width, 4, 4))
    shapes |= normed_shapes('encoder', 5, (4 * width, 2 * width, 4, 4))
    shapes |= normed_shapes('hr_joint', 0, (4 * width, condition + 4 * width, 3, 3))
    for i in range(residual):
        for place in (0, 3):
            shapes |= normed_shapes(f'residual.{i}.block', place, (4 * width, 4 * width, 3, 3))
    channels = 4 * width
    for i in range(1, 5):
        shapes |= normed_shapes(f'upsample{i}', 1, (channels // 2, channels, 3, 3))
        channels //= 2
    return shapes | {'img.0.weight': (3, channels, 3, 3)}


def stage_discriminator_shapes(size, width=96, condition=128):
    """v1's discriminators of 64 and 256 pixels; by default those of COCO."""
    shapes = {'encode_img.0.weight': (width, 3, 4, 4)}
    layers = [(2, 1, 4), (4, 2, 4), (8, 4, 4)]
    if size == 256:
        layers += [(16, 8, 4), (32, 16, 4), (16, 32, 3), (8, 16, 3)]
    for i, (out, inputs, kernel) in enumerate(layers):
        shapes |= normed_shapes('encode_img', 2 + 3 * i, (out * width, inputs * width, kernel, kernel))
    shapes |= normed_shapes('get_cond_logits.outlogits', 0, (8 * width, 8 * width + condition, 3, 3))
    logit = {'weight': (1, 8 * width, 4, 4), 'bias': (1,)}
    shapes |= {f'get_cond_logits.outlogits.3.{part}': shape for part, shape in logit.items()}
    if size == 256:
        shapes |= {f'get_uncond_logits.outlogits.0.{part}': shape for part, shape in logit.items()}
    return shapes


def random_weights(shapes, seed=0):
    """Random weights, float32, with which signals neither vanish nor explode."""
    generator = np.random.default_rng(seed)

    def draw(key, shape):
        noise = generator.standard_normal(shape, np.float32)
        if key.endswith('running_var'):
            return 0.5 + noise**2
        if key.endswith('.weight') and len(shape) == 1:
            return 1 + 0.2 * noise
        if len(shape) == 1:
            return noise / 5
        gain = 0.3 if shape[0] == 3 else 2  # images must not saturate
        return noise * np.float32((gain / np.prod(shape[1:])) ** 0.5)

    return {key: draw(key, shape) for key, shape in shapes.items()}


def as_released(weights, prefix='module.', counters=True):
    """Adds the prefix of `DataParallel`, and the counters that PyTorch has since 0.4.1 after each moving variance."""
    released = {}
    for key, value in weights.items():
        released[prefix + key] = value
        if counters and key.endswith('running_var'):
            released[f'{prefix}{key.removesuffix("running_var")}num_batches_tracked'] = np.array(7)
    return released
