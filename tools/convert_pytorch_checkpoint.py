r"""Converts the files that were released for PyTorch and Torch to exports, and our weights to the released layout.

Generators of StackGAN-v2 (birds, dog, cat, church, bedroom) and of StackGAN-v1 for COCO become exports, discriminators
a .keras file, Reed's char-CNN-RNN an exported text encoder. Neither PyTorch nor Torch is needed.

python tools/convert_pytorch_checkpoint.py netG_210000.pth --out=birds
python tools/convert_pytorch_checkpoint.py cub_encoder.t7 --out=bird_words
python tools/convert_pytorch_checkpoint.py netG_210000.pth --text_encoder=bird_words --out=birds_text
python tools/convert_pytorch_checkpoint.py runs/cub --to_pytorch --out=cub_for_pytorch
"""

import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

if TYPE_CHECKING:
    from stackgan_tf.text.text_encoder import TextEncoder

_OUT = flags.DEFINE_string('out', None, 'The folder to create.', required=True)
_TEXT_ENCODER = flags.DEFINE_string(
    'text_encoder', None, 'For a generator that reads embeddings: its text encoder, a .t7 file, a run or an export.'
)
_TO_PYTORCH = flags.DEFINE_bool(
    'to_pytorch', False, 'The reverse: write netG.npz, netD0.npz, ... of a run, with the keys of the release.'
)
_PHASE = flags.DEFINE_string('phase', None, 'With --to_pytorch, the phase of the run; by default the last.')


def main(words: list[str]) -> None:
    """Converts the file or run of the command line."""
    from stackgan_tf.saved_models.released_export import export_checkpoint, read_reed_encoder
    from stackgan_tf.saved_models.text_encoder_module import export_text_encoder

    started = time.monotonic()
    if len(words) != 1:
        raise UserError('name one file, such as netG_210000.pth, or with --to_pytorch one run')
    source, target = Path(words[0]), Path(_OUT.value)
    if _TEXT_ENCODER.value is not None and (_TO_PYTORCH.value or source.suffix == '.t7'):
        raise UserError('--text_encoder is for generators of .pth files: leave it out here')
    if _TO_PYTORCH.value:
        made = write_for_pytorch(source, target)
    elif source.suffix == '.t7':
        encoder = read_reed_encoder(source)
        export_text_encoder(encoder, target)
        made = f'text encoder ({encoder.dimension} numbers a caption)'
    else:
        made = export_checkpoint(source, target, read_text_encoder())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # from KiB
    say(f'In {target}: {made} ({time.monotonic() - started:.1f} s, {peak:.2f} GiB of memory)')


def read_text_encoder() -> Optional['TextEncoder']:
    """The text encoder of the flag."""
    from stackgan_tf.saved_models.released_export import read_reed_encoder

    source = _TEXT_ENCODER.value
    if source is None or source.endswith('.t7'):
        return source and read_reed_encoder(Path(source))
    from stackgan_tf.loading import load_text_encoder

    return load_text_encoder(source)


def write_for_pytorch(run: Path, target: Path) -> str:
    """Writes the averaged generator and the discriminators of a run; returns the names of the files."""
    from stackgan_tf.loading import load_adversaries
    from stackgan_tf.saved_models.released_export import write_released_weights

    generator, discriminators = load_adversaries(run, _PHASE.value)
    networks = {'netG': generator} | {f'netD{i}': network for i, network in enumerate(discriminators)}
    write_released_weights(networks, target)
    return ', '.join(f'{name}.npz' for name in networks)


if __name__ == '__main__':
    run_command(main, words=True)
