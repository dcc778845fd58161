"""Whatever a picture's pixels are, eight bits of sRGB come of them, with transparency only where there is some."""

import io

from PIL import Image, ImageCms

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_OPAQUE = 255
#: Beyond so many pixels a picture is not had twice.
_MANY_PIXELS = 16_000_000
_STRIP_PIXELS = 1_000_000


def eight_bits(image: Image.Image) -> Image.Image:
    """An image that can be scaled: no palette, no bit mask, no 16-bit grey. Colours stay as they are."""
    if image.mode.startswith("I") or image.mode == "F":
        # 16-bit grey; Pillow would clip instead of scaling it.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"P", "PA"} or "transparency" in image.info:
        return image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGB") if image.mode in {"YCbCr", "LAB", "HSV", "RGBX"} else image


def shrunk(image: Image.Image, enough: tuple[int, int]) -> Image.Image:
    """`eight_bits` of an image, smaller by a whole factor where that leaves more than enough pixels for a good scaling.

    Strip by strip: converted whole, the largest picture would take its memory three times.
    """
    ratio = min(image.width / enough[0], image.height / enough[1])
    # Twice as many pixels a side as wanted are scaled best; of the largest there is no memory for more than needed.
    factor = int(ratio if image.width * image.height > _MANY_PIXELS else ratio / 2)
    if factor <= 1:
        return eight_bits(image)
    rows = factor * max(1, _STRIP_PIXELS // (image.width * factor))
    whole: Image.Image | None = None
    for top in range(0, image.height, rows):
        strip = eight_bits(image.crop((0, top, image.width, min(image.height, top + rows)))).reduce(factor)
        if whole is None:
            whole = Image.new(strip.mode, (strip.width, -(-image.height // factor)))
        whole.paste(strip, (0, top // factor))
    return whole or eight_bits(image)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`RGB`, or `RGBA` where a pixel is not opaque. A profile that is broken or of another kind is ignored."""
    alpha = image.getchannel("A") if image.mode in {"RGBA", "LA"} else None
    colours = image.convert(image.mode.rstrip("A")) if alpha is not None else image
    rgb = (_converted(colours, profile) if profile else None) or colours.convert("RGB")
    # Nothing of the original's texts, profile or EXIF goes along.
    rgb.info = {}
    if alpha is not None and alpha.getextrema()[0] != _OPAQUE:
        rgb.putalpha(alpha)
    return rgb


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, given, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def mean_colour(image: Image.Image) -> str:
    """The mean of an `RGB` or `RGBA` image on white, as `#rrggbb`."""
    if image.mode == "RGBA":
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image).convert("RGB")
    red, green, blue = image.resize((1, 1), Image.Resampling.BOX).tobytes()
    return f"#{red:02x}{green:02x}{blue:02x}"
