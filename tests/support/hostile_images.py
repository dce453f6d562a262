"""Files as in strangers' folders: good ones of all kinds, broken ones, and malicious ones.

Each kind is a function that writes one file at a path without suffix and returns the path of the file. `GOOD` has the
kinds that can be used; `BAD` also has the reason that training gives.
"""

import io
import os
import socket
import struct
import zlib

import numpy as np
from image_files import huge_png, photograph, png_chunk
from PIL import Image, TiffImagePlugin

RED = (200, 30, 40)


def encoded(image, file_format, **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def writes(suffix, make):
    """A kind whose content is `make(seed)`."""

    def write(path, seed):
        path = path.with_name(path.name + suffix)
        path.write_bytes(make(seed))
        return path

    return write


def named(name, make):
    """A kind with an odd file name: `name` has a place for the number."""

    def write(path, seed):
        path = path.with_name(os.fsdecode(name % seed))
        path.write_bytes(make(seed))
        return path

    return write


def plain(file_format, **options):
    return lambda seed: encoded(photograph(40, 50, seed), file_format, **options)


def converted(mode, file_format, **options):
    return lambda seed: encoded(photograph(40, 50, seed).convert(mode), file_format, **options)


def flat(mode, file_format, height, color):
    return lambda seed: encoded(Image.new(mode, (9, height), color), file_format)


def sixteen_bit(file_format):
    return lambda seed: encoded(
        Image.fromarray(np.random.default_rng(seed).integers(0, 65536, (40, 50), np.uint16)), file_format
    )


def animated(file_format):
    return lambda seed: encoded(
        photograph(40, 50, seed), file_format, save_all=True, append_images=[photograph(40, 50, seed + 1)]
    )


def transparent_palette(file_format):
    return lambda seed: encoded(photograph(40, 50, seed).quantize(16), file_format, transparency=3)


def with_broken_tag(seed):
    return encoded(photograph(40, 50, seed), 'JPEG', exif=b'Exif\x00\x00II*\x00\xff\xff\xff\xff')


def folder_named_like_an_image(path, seed):
    folder = path.with_name(path.name + '.jpg')
    folder.mkdir()
    return writes('.png', plain('PNG'))(folder / 'inside', seed)


def text_bomb(seed):
    """A PNG whose comment unpacks to 100 MB."""
    comment = b'zTXt' + b'a\x00\x00' + zlib.compress(bytes(100_000_000), 9)
    whole = plain('PNG')(seed)
    return whole[:33] + png_chunk(comment[:4], comment[4:]) + whole[33:]


def profile_bomb(seed):
    whole = plain('PNG')(seed)
    return whole[:33] + png_chunk(b'iCCP', b'a\x00\x00' + zlib.compress(bytes(100_000_000), 9)) + whole[33:]


GOOD = {
    'JPEG': writes('.jpg', plain('JPEG')),
    'PNG': writes('.png', plain('PNG')),
    'WebP': writes('.webp', plain('WEBP')),
    'GIF': writes('.gif', plain('GIF')),
    'BMP': writes('.bmp', plain('BMP')),
    'TIFF': writes('.tiff', plain('TIFF', compression='tiff_lzw')),
    'progressive JPEG': writes('.jpeg', plain('JPEG', progressive=True)),
    'CMYK': writes('.jpg', converted('CMYK', 'JPEG')),
    'CMYK TIFF': writes('.tif', converted('CMYK', 'TIFF')),
    '16-bit PNG': writes('.png', sixteen_bit('PNG')),
    '16-bit TIFF': writes('.tif', sixteen_bit('TIFF')),
    'black and white': writes('.png', converted('1', 'PNG')),
    'gray with transparency': writes('.png', converted('LA', 'PNG')),
    'palette with transparency': writes('.png', transparent_palette('PNG')),
    'GIF with transparency': writes('.gif', transparent_palette('GIF')),
    'animated GIF': writes('.gif', animated('GIF')),
    'animated WebP': writes('.webp', animated('WEBP')),
    'animated PNG': writes('.png', animated('PNG')),
    'several pages': writes('.tif', animated('TIFF')),
    'another suffix': writes('.jpg', plain('PNG')),
    'suffix in capitals': writes('.JPG', plain('JPEG')),
    'broken orientation tag': writes('.jpg', with_broken_tag),
    'more after its end': writes('.jpg', lambda seed: plain('JPEG')(seed) + b'PK\x03\x04' + bytes(1000)),
    'nine pixels wide': writes('.png', flat('RGB', 'PNG', 9, RED)),
    'in a folder named like an image': folder_named_like_an_image,
    'line break in its name': named(b'new\nline %d.png', plain('PNG')),
    'name that is not UTF-8': named(b'caf\xe9 %d.png', plain('PNG')),
    'comment of 100 MB': writes('.png', text_bomb),
    'profile of 100 MB': writes('.png', profile_bomb),
    'name from right to left': named('\u202egpj.%d.png'.encode(), plain('PNG')),
}


def cut(make, share):
    def content(seed):
        whole = make(seed)
        return whole[: int(len(whole) * share)]

    return content


def link_to(target):
    def link(path, seed):
        path = path.with_name(path.name + '.jpg')
        path.symlink_to(target or path.name)
        return path

    return link


def pipe(path, seed):
    path = path.with_name(path.name + '.jpg')
    os.mkfifo(path)
    return path


def local_socket(path, seed):
    path = path.with_name(path.name + '.png')
    with socket.socket(socket.AF_UNIX) as bound:
        folder = os.open(path.parent, os.O_RDONLY)  # paths of sockets must be short
        bound.bind(f'/proc/self/fd/{folder}/{path.name}')
        os.close(folder)
    return path


def empty_folder(path, seed):
    path = path.with_name(path.name + '.png')
    path.mkdir()
    return path


def huge(width_at, file_format, width='<H', value=65_500):
    """A small image whose header is changed to claim a large one."""

    def content(seed):
        changed = bytearray(encoded(Image.new('RGB', (16, 16), RED), file_format))
        for at in width_at:
            struct.pack_into(width, changed, at, value)
        return bytes(changed)

    return content


def huge_jpeg(seed):
    whole = bytearray(plain('JPEG')(seed))
    at = whole.index(b'\xff\xc0') + 5
    struct.pack_into('>HH', whole, at, 65_500, 65_500)
    return bytes(whole)


def huge_webp(seed):
    """An extended WebP whose canvas is as large as can be: 1 GB of pixels, which its reader holds twice."""
    chunk = b'VP8X' + struct.pack('<II', 10, 2) + (16_382).to_bytes(3, 'little') * 2
    frame = encoded(Image.new('RGB', (16, 16), RED), 'WEBP', lossless=True)[12:]
    animation = b'ANIM' + struct.pack('<IIH', 6, 0, 0)
    first_frame = bytes(6) + (15).to_bytes(3, 'little') * 2 + bytes(4) + frame
    body = b'WEBP' + chunk + animation + b'ANMF' + struct.pack('<I', len(first_frame)) + first_frame
    return b'RIFF' + struct.pack('<I', len(body)) + body


def huge_tile(side):
    """A TIFF of 16 x 16 pixels in one tile of `side` x `side`, all zeros."""

    def content(seed):
        squeeze = zlib.compressobj(1)
        row = bytes(side)
        data = b''.join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
        tags = [
            (256, 3, 16), (257, 3, 16), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1), (322, 4, side),
            (323, 4, side), (324, 4, 8), (325, 4, len(data)),
        ]  # fmt: skip
        entries = b''.join(struct.pack('<HHII', tag, kind, 1, value) for tag, kind, value in tags)
        return b'II*\x00' + struct.pack('<I', 8 + len(data)) + data + struct.pack('<H', len(tags)) + entries + bytes(4)

    return content


def huge_tiff(seed):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    whole = bytearray(encoded(Image.new('RGB', (16, 16), RED), 'TIFF', tiffinfo=tags))
    directory = struct.unpack_from('<I', whole, 4)[0]
    for entry in range(struct.unpack_from('<H', whole, directory)[0]):
        at = directory + 2 + 12 * entry
        if struct.unpack_from('<H', whole, at)[0] in (256, 257):
            struct.pack_into('<HII', whole, at + 2, 4, 1, 1_000_000)
    return bytes(whole)


def huge_png_content(side):
    def content(path, seed):
        path = path.with_name(path.name + '.png')
        huge_png(path, side)
        return path

    return content


def disguised(content):
    return lambda seed: content + b'\n%d' % seed


NOT_IMAGES = {
    'HTML': b'<!DOCTYPE html><html><body>404 Not Found</body></html>',
    'SVG': b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
    'PostScript': b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(touch) run',
    'PDF': b'%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj',
    'zip': b'PK\x03\x04' + bytes(60),
    'shell script': b'#!/bin/sh\nrm -rf ~',
    'program': b'\x7fELF\x02\x01\x01' + bytes(60),
    'pickle': b'cos\nsystem\n(S"touch x"\ntR.',
    'HEIC': b'\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic',
    'pointer of Git LFS': b'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
    'NUL bytes': bytes(500),
}
TOO_LARGE = r'exceeds limit|are more than|too large|[Dd]ecompress'
CUT = '[Tt]runcated|cut|not an image|read|decode|broken|header|frame|buffer|data|unpack'

BAD = {
    'empty': (writes('.jpg', lambda seed: b''), 'empty file'),
    **{
        f'{name}, not an image': (writes('.jpg', disguised(content)), 'it is not an image')
        for name, content in NOT_IMAGES.items()
    },
    **{
        f'{file_format} cut at {share:.0%}': (writes(suffix, cut(plain(file_format), share)), CUT)
        for file_format, suffix in (
            ('JPEG', '.jpg'), ('PNG', '.png'), ('WEBP', '.webp'), ('GIF', '.gif'), ('BMP', '.bmp'), ('TIFF', '.tif'),
        )
        for share in (0.02, 0.5)
    },
    'PNG of 80,000 x 80,000': (huge_png_content(80_000), TOO_LARGE),
    'PNG of 2,000,000,000 x 2,000,000,000': (huge_png_content(2_000_000_000), TOO_LARGE),
    'PNG of 8,000 x 8,000': (huge_png_content(8_000), '8,000 x 8,000 are more than 50,000,000 pixels'),
    'JPEG of 65,500 x 65,500': (writes('.jpg', huge_jpeg), TOO_LARGE),
    'GIF of 65,500 x 65,500': (writes('.gif', huge((6, 8), 'GIF')), TOO_LARGE),
    'BMP of 1,000,000 x 1,000,000': (writes('.bmp', huge((18, 22), 'BMP', '<I', 1_000_000)), TOO_LARGE),
    'TIFF of 1,000,000 x 1,000,000': (writes('.tif', huge_tiff), TOO_LARGE),
    'WebP of 16,383 x 16,383': (writes('.webp', huge_webp), TOO_LARGE),
    'TIFF in a tile of 8,000 x 8,000': (writes('.tif', huge_tile(8_000)), '8,000 x 8,000 are more than'),
    '32-bit pixels': (writes('.tif', flat('I', 'TIFF', 9, 70_000)), '32-bit'),
    'floating-point pixels': (writes('.tif', flat('F', 'TIFF', 9, 0.5)), 'floating-point'),
    'strip': (writes('.png', flat('RGB', 'PNG', 900, RED)), 'too narrow a strip'),
    'link to nowhere': (link_to('nowhere.jpg'), 'No such file'),
    'link to itself': (link_to(None), 'Too many levels of symbolic links'),
    'link to a device': (link_to('/dev/zero'), 'it is not a file'),
    'pipe': (pipe, 'it is not a file'),
    'socket': (local_socket, 'it is not a file'),
    'empty folder named like an image': (empty_folder, 'it is not a file'),
    'line break in its name, empty': (named(b'new\nline %d.jpg', lambda seed: b''), 'empty file'),
    'name that is not UTF-8, empty': (named(b'caf\xe9 %d.jpg', lambda seed: b''), 'empty file'),
    'terminal codes in its name, empty': (named(b'\x1b[2J%d.jpg', lambda seed: b''), 'empty file'),
}  # fmt: skip
