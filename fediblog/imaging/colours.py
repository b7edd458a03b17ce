"""Pixels in the few forms that we write: sRGB, eight bits, with or without an alpha channel."""

from io import BytesIO

from PIL import Image, ImageCms

_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")


def to_srgb(image: Image.Image) -> Image.Image:
    """The picture as L, P, RGB or RGBA in sRGB, with nothing attached to it.

    Colours are converted by the embedded profile, which is then dropped: browsers take what has none for
    sRGB. A profile that cannot be read changes nothing.
    """
    profile = image.info.get("icc_profile")
    image = _simple(image)
    if profile and (converted := _converted(image, profile)):
        image = converted
    image = _without_idle_alpha(image)
    image.info = {name: image.info[name] for name in ("transparency",) if name in image.info}
    return image


def flat(image: Image.Image) -> Image.Image:
    """The picture as RGB, laid on white where it is transparent."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _simple(image: Image.Image) -> Image.Image:
    """L, P, RGB, RGBA or CMYK: the modes that both the colour engine and the writers take."""
    if image.mode in ("L", "RGB") and image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in _DEEP:
        return _eight_bits(image)
    if image.mode in ("L", "P", "RGB", "RGBA", "CMYK"):
        return image
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of sixteen bits, scaled; Pillow's own conversion from "I" cuts off above 255 instead."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    try:
        embedded = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(embedded):
            return None
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(image, embedded, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _without_idle_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "CMYK":
        return image.convert("RGB")
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image
