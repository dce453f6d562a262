"""What the char-CNN-RNN reads of captions, and what it drops."""

import collections
import dataclasses
import re
from collections.abc import Iterable

from stackgan_tf.networks.char_cnn_rnn import ALPHABETS
from stackgan_tf.text.characters import ALPHABET

_UNKNOWN = '\N{REPLACEMENT CHARACTER}'
_OUTSIDE = re.compile(f'[^{re.escape(ALPHABET)}]')
_TOLERATED = 0.02  # share of captions of which the published alphabet may drop a part before bytes are chosen


@dataclasses.dataclass(frozen=True)
class CaptionReadings:
    """How a char-CNN-RNN over an alphabet reads some captions.

    Attributes:
        alphabet: one of `ALPHABETS`; None if it is not known, which counts as reading everything.
        count: how many captions there are.
        cut: how many of them are longer than the encoder reads.
        unknown: how many consist mostly of characters that it does not read.
        different: how many differ from each other in more than case.
        read: how many of those the encoder can tell apart.
    """

    alphabet: str | None
    count: int
    cut: int
    unknown: int
    different: int
    read: int

    def losses(self) -> list[str]:
        """What is lost, a clause each; empty if nothing is."""
        if self.alphabet is None:
            return []
        _, length = ALPHABETS[self.alphabet]
        unit = 'bytes' if self.alphabet == 'bytes' else 'characters'
        losses = []
        if self.cut:
            losses.append(f'{self._share(self.cut, "is", "are")} longer than {length} {unit}')
        if self.unknown:
            consist = self._share(self.unknown, 'consists', 'consist')
            losses.append(f'{consist} mostly of characters that it does not read')
        if self.read < self.different:
            become = f'{self.read:,} different ones' if self.read > 1 else 'one and the same'
            losses.append(f'{self.different:,} different captions become {become}')
        return losses

    def _share(self, number: int, one: str, more: str) -> str:
        return f'{number:,} of {self.count:,} captions {one if number == 1 else more}'

    def lossy(self) -> bool:
        """Whether more than a few captions lose a part, or their difference from others."""
        return max(self.cut, self.unknown, self.different - self.read) > _TOLERATED * self.count


def caption_readings(captions: Iterable[str | bytes], alphabet: str | None) -> CaptionReadings:
    """Counts what a char-CNN-RNN reads of captions; it gives two captions one embedding only if they read alike."""
    counts = collections.Counter(
        text.encode('utf-8', 'replace') if isinstance(text, str) else text for text in captions
    )
    read = {'ascii': _read_characters, 'bytes': _read_bytes, None: _read_whole}[alphabet]
    cut = unknown = 0
    different, readings = set(), set()
    for caption, number in counts.items():
        text = caption.decode('utf-8', 'replace')
        reading, is_cut, is_unknown = read(caption, text)
        cut += number * is_cut
        unknown += number * is_unknown
        different.add(text.lower())
        readings.add(reading)
    return CaptionReadings(alphabet, counts.total(), cut, unknown, len(different), len(readings))


def _read_characters(caption: bytes, text: str) -> tuple[str, bool, bool]:
    """The text that the tokens of `character_tokens` stand for, whether it is cut, and mostly unknown."""
    _, length = ALPHABETS['ascii']
    lower = caption.lower().decode('utf-8', 'replace')  # of ASCII letters alone, as the tokens
    reading = _OUTSIDE.sub(_UNKNOWN, lower[:length])
    unknown = reading.count(_UNKNOWN)
    return reading.rstrip(_UNKNOWN), len(text) > length, 2 * unknown > len(reading) - reading.count(' ')


def _read_whole(caption: bytes, text: str) -> tuple[str, bool, bool]:
    return text.lower(), False, False


def _read_bytes(caption: bytes, text: str) -> tuple[bytes, bool, bool]:
    """The same for `byte_tokens`, which read every character."""
    _, length = ALPHABETS['bytes']
    lower = text.lower().replace('\0', ' ').encode()
    return lower[:length], len(lower) > length, False
