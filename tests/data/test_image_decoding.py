import io
import os
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hostile_images import BAD, GOOD
from image_files import huge_png, photograph, save
from PIL import Image, PngImagePlugin

from stackgan_tf.data.image_decoding import FORMATS, BadImageError, decode

RED = (200, 30, 40)


def decoded(image, file_format, **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    file.seek(0)
    converted = decode(file)
    assert converted.mode == 'RGB'
    return np.asarray(converted).astype(int)


@pytest.mark.parametrize(
    ('file_format', 'tolerance'), [('PNG', 0), ('BMP', 0), ('TIFF', 0), ('JPEG', 4), ('WEBP', 4), ('GIF', 10)]
)
def test_formats(file_format, tolerance):
    pixels = decoded(photograph(), file_format)
    assert np.abs(pixels - np.asarray(photograph())).mean() <= tolerance


@pytest.mark.parametrize('kind', ['comment of 100 MB', 'profile of 100 MB'])
def test_large_texts_and_profiles_are_left_out(tmp_path, kind):
    path = GOOD[kind](tmp_path / 'image', 0)
    tracemalloc.start()
    image = decode(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(image, decode(GOOD['PNG'](tmp_path / 'plain', 0)))
    assert peak < 5_000_000


def test_the_orientation_in_a_png_with_a_large_text_is_applied():
    exif, text = Image.Exif(), PngImagePlugin.PngInfo()
    exif[0x0112] = 6
    text.add_itxt('workflow', 'x' * 2_000_000, zip=True)
    pixels = decoded(photograph(40, 60), 'PNG', exif=exif, pnginfo=text)
    np.testing.assert_array_equal(pixels, np.rot90(np.asarray(photograph(40, 60)), -1))


@pytest.mark.skipif('AVIF' not in FORMATS, reason='this Pillow reads no AVIF')
def test_avif():
    assert np.abs(decoded(photograph(), 'AVIF') - np.asarray(photograph())).mean() < 6


def test_orientation_tag_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter turn clockwise
    pixels = decoded(photograph(40, 60), 'PNG', exif=exif)
    np.testing.assert_array_equal(pixels, np.rot90(np.asarray(photograph(40, 60)), -1))


@pytest.mark.parametrize(('mode', 'file_format'), [('RGBA', 'PNG'), ('LA', 'PNG'), ('RGBA', 'WEBP'), ('RGBA', 'TIFF')])
def test_transparent_pixels_are_white(mode, file_format):
    image = Image.new('RGBA', (16, 16), (*RED, 255))
    image.paste((0, 0, 0, 0), (0, 0, 8, 16))
    pixels = decoded(image.convert(mode), file_format)
    assert (pixels[:, :4] == 255).all()
    assert (pixels[:, 12:].mean((0, 1)) < 210).all()


@pytest.mark.parametrize('file_format', ['GIF', 'PNG'])
def test_a_transparent_palette_color_is_white(file_format):
    image = Image.new('P', (8, 8), 1)
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 4, 8))
    pixels = decoded(image, file_format, transparency=0)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 7].tolist() == [*RED]


def test_half_transparent_is_mixed_with_white():
    assert decoded(Image.new('RGBA', (4, 4), (0, 0, 0, 128)), 'PNG')[0, 0].tolist() == [127, 127, 127]


def test_cmyk_gray_palette_and_black_and_white():
    assert np.abs(decoded(Image.new('RGB', (16, 16), RED).convert('CMYK'), 'JPEG', quality=95)[8, 8] - RED).max() <= 4
    assert decoded(Image.new('L', (4, 4), 77), 'PNG')[0, 0].tolist() == [77, 77, 77]
    assert decoded(Image.new('RGB', (4, 4), RED).convert('P', palette=Image.ADAPTIVE), 'PNG')[0, 0].tolist() == [*RED]
    assert decoded(Image.new('1', (4, 4), 1), 'PNG')[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize('file_format', ['PNG', 'TIFF'])
def test_sixteen_bit_gray_keeps_its_range(file_format):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    pixels = decoded(Image.fromarray(ramp), file_format)
    np.testing.assert_array_equal(pixels[..., 0], ramp // 257)
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_the_first_frame_of_an_animation():
    frames = [Image.new('RGB', (8, 8), color) for color in ((255, 0, 0), (0, 0, 255))]
    for file_format in ('GIF', 'WEBP'):
        pixels = decoded(frames[0], file_format, save_all=True, append_images=frames[1:])
        assert np.abs(pixels[4, 4] - (255, 0, 0)).max() <= 8


def test_large_jpegs_decode_themselves_smaller_but_never_below_twice_the_need():
    file = io.BytesIO()
    photograph(800, 1200).save(file, 'JPEG')
    assert decode(file, 76).size == (300, 200)
    assert decode(file, 201).size == (1200, 800)


def test_a_broken_tag_is_ignored():
    file = io.BytesIO()
    photograph().save(file, 'JPEG', exif=b'Exif\x00\x00II*\x00\xff\xff\xff\xff')
    assert decode(file).size == (80, 60)


def test_unusable_files_give_a_reason(tmp_path):
    whole = save(tmp_path / 'whole.jpg').read_bytes()
    contents = {
        'text.jpg': (b'this is text', 'it is not an image'),
        'cut.jpg': (whole[: len(whole) // 2], '[Tt]runcated'),
        'program.png': (b'%!PS-Adobe-3.0 EPSF-3.0\n', 'it is not an image'),
    }
    for name, (content, reason) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadImageError, match=reason):
            decode(tmp_path / name)
    huge_png(tmp_path / 'huge.png')
    with pytest.raises(BadImageError, match='exceeds limit'):
        decode(tmp_path / 'huge.png')
    with pytest.raises(BadImageError, match='No such file'):
        decode(tmp_path / 'nowhere.png')
    save(tmp_path / 'large.png', Image.new('1', (8000, 8000)))
    with pytest.raises(BadImageError, match='8,000 x 8,000 are more than 50,000,000 pixels'):
        decode(tmp_path / 'large.png')
    save(tmp_path / 'deep.tiff', Image.new('I', (4, 4), 70_000))
    with pytest.raises(BadImageError, match='32-bit'):
        decode(tmp_path / 'deep.tiff')
    save(tmp_path / 'float.tiff', Image.new('F', (4, 4), 0.5))
    with pytest.raises(BadImageError, match='floating-point'):
        decode(tmp_path / 'float.tiff')


def test_a_file_without_permission_may_be_readable_later():
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder) / 'closed.png')
        decode(path)
        Path(folder).chmod(0o755)
        path.chmod(0)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)  # permissions do not stop root
        try:
            with pytest.raises(BadImageError, match='Permission denied') as caught:
                decode(path)
        finally:
            os.seteuid(before)
    assert caught.value.may_pass


def test_files_that_claim_to_be_huge_take_little_memory(tmp_path):
    huge = [write for kind, (write, _) in BAD.items() if '00 x ' in kind or ',383 x ' in kind]
    assert len(huge) == 9
    paths = [str(write(tmp_path / f'{number}', number)) for number, write in enumerate(huge)]
    script = (
        'import resource, sys\n'
        'from pathlib import Path\n'
        'from stackgan_tf.data.image_decoding import BadImageError, decode\n'
        'before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'for path in sys.argv[1:]:\n'
        '    try:\n'
        '        decode(Path(path))\n'
        '        sys.exit(f"{path} was used")\n'
        '    except BadImageError:\n'
        '        pass\n'
        'print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n'
    )
    result = subprocess.run([sys.executable, '-c', script, *paths], capture_output=True, text=True, check=True)
    assert int(result.stdout) < 50_000  # kB
