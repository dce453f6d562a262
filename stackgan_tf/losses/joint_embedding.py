"""How well captions and pictures find each other: the structured joint embedding loss of text encoders.

Source: Reed et al. (arXiv 1605.05395), symmetric form, as in its released code.
"""

from keras import KerasTensor, ops


def joint_embedding_loss(images: KerasTensor, texts: KerasTensor, labels: KerasTensor) -> KerasTensor:
    """Hinge loss on the scores F(v, t) = v . t: a pair must score 1 more than its halves do with any other class.

    Args:
        images: v, features of pictures, `[N, T]`.
        texts: t, embeddings of one caption of each picture, `[N, T]`.
        labels: int32 `[N]`, classes. Pictures of one class are never held against each other.

    Returns:
        float32 scalar: the sum of both hinges over all pairs of rows, divided by N^2, for pictures and for captions.
    """
    scores = ops.matmul(ops.cast(images, 'float32'), ops.transpose(ops.cast(texts, 'float32')))  # [N, N]: v_i . t_j
    matching = ops.diagonal(scores)
    different = ops.cast(labels[:, None] != labels[None, :], 'float32')
    of_images = ops.relu(1.0 + scores - matching[:, None])  # v_i with t_j against v_i with t_i
    of_texts = ops.relu(1.0 + scores - matching[None, :])  # v_i with t_j against v_j with t_j
    return ops.mean((of_images + of_texts) * different)


def matching_cross_entropy(images: KerasTensor, texts: KerasTensor, labels: KerasTensor) -> KerasTensor:
    """Cross-entropy of finding a row's other half by the scores F(v, t) = v . t, among those of other classes.

    Unlike the hinges it asks most of rows whose nearest rivals differ in little.

    Source: not the paper's; AttnGAN (arXiv 1711.10485, section 3.2) trains its encoders so.

    Args:
        images: v, features of pictures, `[N, T]`.
        texts: t, embeddings of one caption of each picture, `[N, T]`.
        labels: int32 `[N]`, classes. Pictures of one class are never held against each other.

    Returns:
        float32 scalar, in nats: of pictures finding their captions and captions their pictures, the sum of both means.
    """
    scores = ops.matmul(ops.cast(images, 'float32'), ops.transpose(ops.cast(texts, 'float32')))  # [N, N]: v_i . t_j
    same = ops.cast(labels[:, None] == labels[None, :], 'float32') - ops.eye(ops.shape(scores)[0])
    among = scores - 1e9 * same
    return ops.mean(ops.logsumexp(among, axis=1) + ops.logsumexp(among, axis=0) - 2.0 * ops.diagonal(scores))
