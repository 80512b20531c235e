"""Pictures in texts and messages: ``<img PLACE>`` tags as content parts."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from symposia.core import Image

if TYPE_CHECKING:
    from PIL import Image as PILImages
else:
    from symposia._lazy import lazy_module

    PILImages = lazy_module("PIL.Image")

__all__ = [
    "convert_base64_to_data_uri",
    "extract_img_paths",
    "get_image_data",
    "get_pil_image",
    "gpt4v_formatter",
    "llava_formatter",
    "message_formatter_pil_to_b64",
    "pil_to_data_uri",
]

logger = logging.getLogger(__name__)

TAG: Final = re.compile(r"<img ([^>]+)>")
PLACE: Final = re.compile(r"(?:https?://)?[^\s<>\"',]+\.(?:png|jpe?g|gif|webp|bmp)\b", re.IGNORECASE)
LINK: Final = ("http://", "https://")
NOT_FETCHED: Final = (
    "{place} is a link, and Symposia fetches no pictures that messages name. Give models the link itself, or save the "
    'picture and give its path. The page "Coming from AutoGen 0.2" of the documentation says more.'
)


def gpt4v_formatter(prompt: str, img_format: Literal["uri", "url", "pil"] = "uri") -> list[dict[str, Any]]:
    """A text with ``<img PLACE>`` tags as content parts of a message.

    Args:
        prompt: The text. A tag whose file cannot be read as a picture stays text.
        img_format: ``uri`` for data URIs, where links stay links; ``url`` for the places as they are; ``pil`` for
            objects of Pillow.
    """
    parts: list[dict[str, Any]] = []
    text, end = "", 0
    for tag in TAG.finditer(prompt):
        text += prompt[end : tag.start()]
        end = tag.end()
        url = _url(tag[1].strip(), img_format)
        if url is None:
            text += tag[0]
            continue
        parts += [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
        text = ""
    return [*parts, {"type": "text", "text": text + prompt[end:]}]


def llava_formatter(prompt: str, order_image_tokens: bool = False) -> tuple[str, list[str]]:
    """A text whose ``<img PLACE>`` tags are ``<image>`` tokens, and the pictures as base64 text, in their order.

    Args:
        prompt: The text. A tag whose file cannot be read as a picture is removed, with a warning.
        order_image_tokens: Whether the tokens have numbers: ``<image 0>``.
    """
    images: list[str] = []

    def token(tag: re.Match[str]) -> str:
        image = pil_or_none(tag[1].strip())
        if image is None:
            logger.warning("%s cannot be read as a picture, and is left out.", tag[1].strip())
            return ""
        images.append(Image.from_pil(image).to_base64())
        return f"<image {len(images) - 1}>" if order_image_tokens else "<image>"

    return TAG.sub(token, prompt), images


def _url(place: str, img_format: str) -> object:
    """What stands for a picture in a part; None for what is no picture."""
    if img_format == "url":
        return place
    return pil_or_none(place) if img_format == "pil" else url_or_none(place)


def is_link(place: object) -> bool:
    """Whether the place of a picture is a link, which is not fetched."""
    return isinstance(place, str) and place.startswith(LINK)


def pil_or_none(place: str | PILImages.Image) -> PILImages.Image | None:
    """As `get_pil_image`; None for a link and for what is no picture."""
    try:
        return get_pil_image(place)
    except (OSError, ValueError, NotImplementedError):
        return None


def url_or_none(place: str | PILImages.Image) -> str | None:
    """The data URI of a picture, or its link; None for what is no picture."""
    if isinstance(place, str) and is_link(place):
        return place
    image = pil_or_none(place)
    return None if image is None else pil_to_data_uri(image)


def extract_img_paths(paragraph: str) -> list[str]:
    """The paths and links of pictures that a text names."""
    return PLACE.findall(paragraph)


def get_pil_image(image_file: str | PILImages.Image) -> PILImages.Image:
    """A picture as an object of Pillow.

    Args:
        image_file: The path of a file, a data URI, base64 text, or the object itself.

    Raises:
        OSError: There is no such file.
        ValueError: It is no picture.
        NotImplementedError: It is a link.
    """
    if not isinstance(image_file, str):
        return image_file
    return _image(image_file).image


def get_image_data(image_file: str | PILImages.Image, use_b64: bool = True) -> str | bytes:
    """The bytes of a picture as a PNG file, or these as base64 text. The arguments and errors are as above."""
    image = Image.from_pil(get_pil_image(image_file))
    return image.to_base64() if use_b64 else image.data


def pil_to_data_uri(image: PILImages.Image) -> str:
    """A picture of Pillow as a data URI."""
    return Image.from_pil(image).data_uri


def convert_base64_to_data_uri(base64_image: str) -> str:
    """Base64 text of a picture as a data URI.

    Raises:
        ValueError: It is no picture.
    """
    return Image.from_base64(base64_image).data_uri


def message_formatter_pil_to_b64(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages whose pictures are data URIs, of messages with objects of Pillow; the given ones stay as they are."""
    return [
        {**message, "content": list(_encoded(message["content"]))}
        if isinstance(message.get("content"), list)
        else dict(message)
        for message in messages
    ]


def _encoded(parts: Sequence[Any]) -> Iterator[Any]:  # Any: JSON, but for the pictures
    for part in parts:
        picture = _picture(part)
        yield part if picture is None or isinstance(picture, str) else _image_part(cast("PILImages.Image", picture))


def _picture(part: object) -> object:
    """What stands for a picture in a content part; None in other parts."""
    fields = cast("Mapping[str, Any]", part if isinstance(part, Mapping) else {})
    return fields.get("image_url", {}).get("url")


def _image_part(image: PILImages.Image) -> dict[str, Any]:
    """A picture of Pillow as a content part."""
    return {"type": "image_url", "image_url": {"url": pil_to_data_uri(image)}}


def _image(place: str) -> Image:
    if place.startswith(LINK):
        raise NotImplementedError(NOT_FETCHED.format(place=place))
    if place.startswith("data:"):
        return Image.from_uri(place)
    if Path(place).suffix and len(place) < 4096:  # noqa: PLR2004 - the longest path that Linux takes
        return Image.from_file(Path(place))
    return Image.from_base64(place)
