"""The part of CLIP's published vocabulary that some captions use, and a tiny CLIP with it.

`MERGES` are all published merges that could apply to a word of `TOKENS`, each with the published number of its token,
so that these captions have the published tokens. They are those of `bpe_simple_vocab_16e6.txt.gz` of openai/CLIP (MIT).
"""

import numpy as np

TOKENS = {
    'a photo of a cat': [320, 1125, 539, 320, 2368],
    "A small red bird with 12 feathers, it's blue!": [
        *(320, 2442, 736, 3329, 593, 272, 273, 21138, 267, 585, 568, 1746, 256)
    ],
    'École de 2024 – “l’oiseau” \N{BIRD}': [  # noqa: RUF001
        *(3459, 8166, 654, 273, 271, 273, 275, 1224, 257, 331, 262, 78, 7669, 2566, 257, 37260)
    ],
}
START, END = 49406, 49407
MERGES = """
t h 513; r e 515; e r 517; a l 526; a t 527; i t 529; t o</w> 531; l e 534; a t</w> 536; e d</w> 538; o f</w> 539;
ð Ł 558; d e 561; o l 562; s e 567; ' s</w> 568; m a 577; l e</w> 579; t o 580; i r 582; w it 584; i t</w> 585;
wit h</w> 593; i s 595; th e 599; h o 606; er s</w> 612; al l</w> 615; c o 622; f e 623; a u 627; t h</w> 640;
h e 651; d e</w> 654; l u 664; o f 684; b i 717; â Ģ 728; re d</w> 736; p h 745; c ol 754; c a 772; al l 813;
p ho 816; w i 820; b l 833; e d 843; l l</w> 865; b ir 921; s m 978; pho to</w> 1125; pho to 1153; th er 1160;
u e</w> 1190; h er 1223; âĢ ĵ</w> 1224; b lu 1263; a th 1374; wi th 1435; c at 1481; l l 1657; m al 1662;
fe at 1703; r s</w> 1724; blu e</w> 1746; it h</w> 1757; o t 1863; re d 1893; ol e</w> 1947; th ers</w> 1959;
r d</w> 1973; ðŁ Ĳ 2074; e a 2150; c at</w> 2368; sm all</w> 2442; a u</w> 2566; ir d</w> 2770; ho t 2851;
bir d</w> 3329; Ã © 3459; blu e 3829; s ma 4357; er s 4840; sm all 5244; e at 5418; se a 5970; i th 6133;
a ther 6171; m all</w> 6220; bir d 6908; r s 6978; i se 7669; col e</w> 8166; a the 8963; o le 9089; co le 9305;
m all 10984; r d 13501; u e 16696; ath ers</w> 17266; ea u</w> 17608; âĢ ĵ 21070; fe athers</w> 21138;
o to</w> 23399; o to 23946; fe ather 24905; h ers</w> 25359; o i 27357; se au</w> 32263; ðŁĲ ¦</w> 37260;
lu e</w> 45199; sm al 48379"""


def merges():
    """The merges, and the tokens that they make with their numbers."""
    found = [line.strip() for line in MERGES.split(';')]
    pairs = [line.rpartition(' ')[::2] for line in found]
    return [pair for pair, _ in pairs], {pair.replace(' ', ''): int(number) for pair, number in pairs}


def vocabulary():
    """The numbers of tokens: all 256 bytes within and at the end of a word, those of `MERGES`, start and end."""
    codes = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(code) for code in codes] + [chr(256 + number) for number in range(256 - len(codes))]
    numbers = {symbol + end: 256 * at + i for at, end in enumerate(('', '</w>')) for i, symbol in enumerate(symbols)}
    return numbers | merges()[1] | {'<|startoftext|>': START, '<|endoftext|>': END}


def save_clip(folder, seed=0, converter=True, layers=2):
    """Writes a preset of keras-hub: random, of 32 pixels, with features of 12 numbers; returns its backbone."""
    import keras
    import keras_hub

    keras.utils.set_random_seed(seed)
    models = keras_hub.models
    sizes = {'hidden_dim': 16, 'num_layers': layers, 'num_heads': 2, 'intermediate_dim': 20}
    backbone = models.CLIPBackbone(
        vision_encoder=models.CLIPVisionEncoder(patch_size=8, image_shape=(32, 32, 3), name='vision', **sizes),
        text_encoder=models.CLIPTextEncoder(vocabulary_size=END + 1, embedding_dim=16, name='text', **sizes),
        projection_dim=12,
    )
    for variable in backbone.text_encoder.variables:  # as initialized, captions hardly differ
        if 'embedding' in variable.path:
            variable.assign(20 * np.asarray(variable))
    scale, offset = [0.015, 0.016, 0.014], [-1.8, -1.7, -1.5]
    images = keras_hub.layers.CLIPImageConverter(image_size=(32, 32), scale=scale, offset=offset)
    tokenizer = models.CLIPTokenizer(vocabulary=vocabulary(), merges=merges()[0])
    backbone.save_to_preset(str(folder))
    models.CLIPPreprocessor(tokenizer, images if converter else None).save_to_preset(str(folder))
    return backbone
