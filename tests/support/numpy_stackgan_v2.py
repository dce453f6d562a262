"""A second implementation of StackGAN-v2 in float64 NumPy: forward passes and losses, from the paper and the tables.

The tests of golden values compare the model with it. Only the values of the weights come from the model: `Weights`
looks up the value of a variable, and can move one of them along a direction, for finite differences. Convolutions are
sums over the taps of their kernels. Images and maps are `[N, H, W, C]`.
"""

import numpy as np

EPSILON = 1e-5  # of batch normalization
SLOPE = 0.2  # of leaky rectifiers


class Weights:
    """The values of variables, float64; `moved` is a copy with one variable changed."""

    def __init__(self, variables):
        self.values = {id(variable): variable.numpy().astype(np.float64) for variable in variables}

    def __getitem__(self, variable):
        return self.values[id(variable)]

    def moved(self, variable, change):
        other = Weights([])
        other.values = {**self.values, id(variable): self[variable] + change}
        return other


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gated(x):
    value, gate = np.split(x, 2, axis=-1)
    return value * sigmoid(gate)


def leaky(x):
    return np.where(x > 0, x, SLOPE * x)


def convolve(x, kernel, stride=1, padding=1):
    k = kernel.shape[0]
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    height, width = ((side - k) // stride + 1 for side in x.shape[1:3])
    taps = (
        x[:, i : i + stride * height : stride, j : j + stride * width : stride] @ kernel[i, j]
        for i in range(k)
        for j in range(k)
    )
    return sum(taps)


def normalized(w, layer, x):
    """Batch normalization by the batch's own statistics."""
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    return (x - mean) / np.sqrt(variance + EPSILON) * w[layer.gamma] + w[layer.beta]


def doubled(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


# The generator.


def augmented(w, layer, embedding, epsilon):
    """c, mu and log sigma^2 of conditioning augmentation with a gated linear unit."""
    mu, log_variance = np.split(gated(embedding @ w[layer.dense.kernel] + w[layer.dense.bias]), 2, axis=-1)
    return mu + np.exp(log_variance / 2) * epsilon, mu, log_variance


def up(w, block, h):
    return gated(normalized(w, block.batch_norm, convolve(doubled(h), w[block.conv.kernel])))


def residual(w, block, h):
    inner = gated(normalized(w, block.first_norm, convolve(h, w[block.first_conv.kernel])))
    return h + normalized(w, block.second_norm, convolve(inner, w[block.second_conv.kernel]))


def images(w, tree, z, c):
    """The images of a tree's branches, small to large."""
    first = tree.first_branch
    h = gated(normalized(w, first.batch_norm, np.concatenate([c, z], axis=-1) @ w[first.dense.kernel]))
    h = h.reshape(len(z), 4, 4, -1)
    for block in first.up:
        h = up(w, block, h)
    made = [np.tanh(convolve(h, w[tree.to_image[0].kernel]))]
    for branch, to_image in zip(tree.next_branches, tree.to_image[1:], strict=True):
        tiled = np.broadcast_to(c[:, None, None], (*h.shape[:3], c.shape[-1]))
        joined = convolve(np.concatenate([tiled, h], axis=-1), w[branch.joint.conv.kernel])
        h = gated(normalized(w, branch.joint.batch_norm, joined))
        for block in branch.residual:
            h = residual(w, block, h)
        h = up(w, branch.up, h)
        made.append(np.tanh(convolve(h, w[to_image.kernel])))
    return made


# A discriminator.


def block(w, layer, h):
    stride = 2 if layer.conv.kernel.shape[0] == 4 else 1
    return leaky(normalized(w, layer.batch_norm, convolve(h, w[layer.conv.kernel], stride)))


def features(w, network, image):
    h = leaky(convolve(image, w[network.first.kernel], 2))
    for layer in (*network.down, *network.across):
        h = block(w, layer, h)
    return h


def unconditional_logits(w, network, h):
    return convolve(h, w[network.logit.kernel], padding=0)[:, 0, 0, 0] + w[network.logit.bias]


def conditional_logits(w, network, h, condition):
    tiled = np.broadcast_to(condition[:, None, None], (*h.shape[:3], condition.shape[-1]))
    h = block(w, network.joint, np.concatenate([tiled, h], axis=-1))
    return convolve(h, w[network.conditional_logit.kernel], padding=0)[:, 0, 0, 0] + w[network.conditional_logit.bias]


# The losses.


def called(logits, real):
    """Mean cross-entropy with target real or generated, from the logarithm of the sigmoid."""
    return -np.log(sigmoid(logits if real else -logits)).mean()


def discriminator_loss(w, network, real, generated, condition, mismatched_condition):
    """The joint conditional and unconditional loss with mismatched texts, every weight 1."""
    h_real, h_generated = features(w, network, real), features(w, network, generated)
    conditional = (
        called(conditional_logits(w, network, h_real, condition), True)
        + called(conditional_logits(w, network, h_real, mismatched_condition), False)
        + called(conditional_logits(w, network, h_generated, condition), False)
    )
    unconditional = called(unconditional_logits(w, network, h_real), True) + called(
        unconditional_logits(w, network, h_generated), False
    )
    return conditional + unconditional


def generator_loss(w, network, image, condition):
    h = features(w, network, image)
    return called(conditional_logits(w, network, h, condition), True) + called(
        unconditional_logits(w, network, h), True
    )


def color_statistics(image):
    pixels = image.reshape(len(image), -1, 3)
    mean = pixels.mean(axis=1, keepdims=True)
    return mean[:, 0], np.einsum('npi,npj->nij', pixels - mean, pixels - mean) / pixels.shape[1]


def color_loss(made, held):
    """The color-consistency loss of each image with the smaller one of `held`, which is constant and so an argument."""
    loss = 0.0
    for fine, coarse in zip(made[1:], held[:-1], strict=True):
        (mean, covariance), (mean_before, covariance_before) = color_statistics(fine), color_statistics(coarse)
        loss += ((mean - mean_before) ** 2).mean() + 5 * ((covariance - covariance_before) ** 2).mean()
    return loss


def kl_loss(mu, log_variance):
    """The divergence of N(mu, sigma^2) from N(0, I), averaged over rows and dimensions."""
    return (np.exp(log_variance) + mu**2 - 1 - log_variance).mean() / 2
