"""The losses that text encoders are trained with: structured joint embedding, and cross-entropy of matching pairs.

Source: Reed et al. (arXiv 1605.05395), symmetric form, as in its released code.
"""

from keras import KerasTensor, ops

from stackgan_tf.losses.groups import share_group


def joint_embedding_loss(images: KerasTensor, texts: KerasTensor, labels: KerasTensor) -> KerasTensor:
    """Hinge loss on the scores F(v, t) = v . t: a pair must score 1 more than its image or text with another class.

    Args:
        images: v, features of images, `[N, T]`.
        texts: t, embeddings of one caption of each image, `[N, T]`.
        labels: classes, int32 `[N]`; or groups, int32 `[N, G]`, see `share_group`. Images of one class or group are
            never compared with each other.

    Returns:
        A float32 scalar: the sum of both hinges, for images and for captions, over all pairs of rows, divided by N^2.
    """
    scores = ops.matmul(ops.cast(images, 'float32'), ops.transpose(ops.cast(texts, 'float32')))  # [N, N]: v_i . t_j
    matching = ops.diagonal(scores)
    different = ops.cast(ops.logical_not(share_group(labels)), 'float32')
    image_hinges = ops.relu(1.0 + scores - matching[:, None])  # v_i with t_j against v_i with t_i
    text_hinges = ops.relu(1.0 + scores - matching[None, :])  # v_i with t_j against v_j with t_j
    return ops.mean((image_hinges + text_hinges) * different)


def matching_cross_entropy(images: KerasTensor, texts: KerasTensor, labels: KerasTensor) -> KerasTensor:
    """Cross-entropy of retrieving a row's match by the scores F(v, t) = v . t, among rows of other classes.

    Unlike in the hinge loss, gradients are largest for rows whose nearest rivals differ little.

    Source: not the paper's; AttnGAN (arXiv 1711.10485, section 3.2) trains its encoders so.

    Args:
        images: v, features of images, `[N, T]`.
        texts: t, embeddings of one caption of each image, `[N, T]`.
        labels: classes, int32 `[N]`; or groups, int32 `[N, G]`, see `share_group`. Images of one class or group are
            never compared with each other.

    Returns:
        A float32 scalar, in nats: the mean over images retrieving captions plus the mean over captions retrieving
        images.
    """
    scores = ops.matmul(ops.cast(images, 'float32'), ops.transpose(ops.cast(texts, 'float32')))  # [N, N]: v_i . t_j
    same = ops.cast(share_group(labels), 'float32') - ops.eye(ops.shape(scores)[0])
    among = scores - 1e9 * same
    return ops.mean(ops.logsumexp(among, axis=1) + ops.logsumexp(among, axis=0) - 2.0 * ops.diagonal(scores))
