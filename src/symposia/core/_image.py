"""Pictures in messages.

An `Image` keeps the encoded bytes that it was made from and hands them on as they are; PIL is imported only when pixels
are asked for, or when the bytes are in a format that model vendors do not take.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from symposia._lazy import lazy_module
from symposia.core.exceptions import ArgumentTypeError, MissingExtraError

if TYPE_CHECKING:
    from PIL import Image as PILImages
else:
    PILImages = lazy_module("PIL.Image")

MediaType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]

_DATA_URI = re.compile(r"data:image/[\w.+-]+;base64,")


class Image:
    """A picture in a message. Two images are equal when their encoded bytes are.

    Args:
        image: A picture of PIL, which is copied as RGB, or an encoded picture. PNG, JPEG, GIF and WebP are kept as they
            are; any other format that PIL can read becomes PNG.

    Raises:
        ArgumentTypeError: `image` is something else, such as the path of a file.
        OSError: The bytes are no picture (`PIL.UnidentifiedImageError`).
        MissingExtraError: PIL is not installed, and is needed to read the bytes.
    """

    def __init__(self, image: PILImages.Image | bytes) -> None:
        media_type = _sniff(image) if isinstance(image, bytes) else None
        if isinstance(image, bytes) and media_type is not None:
            self._data = image
            self._media_type: MediaType = media_type
        else:
            if not isinstance(image, bytes) and not hasattr(image, "convert"):  # such as the path of a file
                raise ArgumentTypeError(
                    f"An Image is made of a picture of PIL or of bytes, not of {image!r}. A file is read by"
                    " Image.from_file(Path('picture.png')), a data URI by Image.from_uri(…)."
                )
            self._data = _encode_png(_decode(image) if isinstance(image, bytes) else image)
            self._media_type = "image/png"

    @classmethod
    def from_pil(cls, pil_image: PILImages.Image) -> Image:
        """Take a picture of PIL, copied as RGB."""
        return cls(pil_image)

    @classmethod
    def from_file(cls, file_path: Path) -> Image:
        """Read a picture file.

        Raises:
            OSError: The file cannot be read, or is no picture.
        """
        return cls(Path(file_path).read_bytes())

    @classmethod
    def from_uri(cls, uri: str) -> Image:
        """Take a data URI, such as ``data:image/png;base64,iVBO…``.

        Raises:
            ValueError: It is not a base64 data URI of an image.
        """
        match = _DATA_URI.match(uri)
        if match is None:
            msg = (
                f"Invalid URI format: an image URI starts with 'data:image/<type>;base64,', this one with {uri[:32]!r}"
            )
            raise ValueError(msg)
        return cls.from_base64(uri[match.end() :])

    @classmethod
    def from_base64(cls, base64_str: str) -> Image:
        """Take an encoded picture as base64 text, which may have line breaks.

        Characters outside of base64's alphabet are skipped, as RFC 2045 wants it for line breaks and AutoGen does it
        for all. Text that is not base64 is then one that is no picture.

        Raises:
            ValueError: The text ends in the middle of a byte: part of it is missing.
            OSError: The bytes are no picture (`PIL.UnidentifiedImageError`).
        """
        try:
            return cls(base64.b64decode(base64_str))
        except binascii.Error as error:
            raise ValueError(
                f"The base64 text of an image is cut off ({error}). Give it whole, with padding."
            ) from error

    @property
    def data(self) -> bytes:
        """The encoded picture, in the format that `media_type` names."""
        return self._data

    @property
    def media_type(self) -> MediaType:
        """The format of `data`."""
        return self._media_type

    @cached_property
    def image(self) -> PILImages.Image:
        """The pixels, as a picture of PIL in RGB.

        Raises:
            MissingExtraError: PIL is not installed.
        """
        return _decode(self._data).convert("RGB")

    @cached_property
    def _base64(self) -> str:
        return base64.b64encode(self._data).decode("ascii")

    def to_base64(self) -> str:
        """`data` as base64 text."""
        return self._base64

    @property
    def data_uri(self) -> str:
        """The picture as a data URI."""
        return f"data:{self._media_type};base64,{self._base64}"

    def to_openai_format(self, detail: Literal["auto", "low", "high"] = "auto") -> dict[str, Any]:
        """The picture as a content part of a chat completion request."""
        return {"type": "image_url", "image_url": {"url": self.data_uri, "detail": detail}}

    def _repr_html_(self) -> str:
        return f'<img src="{self.data_uri}"/>'

    def __repr__(self) -> str:
        return f"Image({self._media_type}, {len(self._data)} bytes)"

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if isinstance(other, Image) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._data)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        encoded = core_schema.typed_dict_schema({"data": core_schema.typed_dict_field(core_schema.str_schema())})
        loaded = core_schema.no_info_after_validator_function(_load, encoded)
        return core_schema.json_or_python_schema(
            json_schema=loaded,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), loaded]),
            serialization=core_schema.plain_serializer_function_ser_schema(_dump, return_schema=encoded),
        )


def _load(value: dict[str, str]) -> Image:
    try:
        return Image.from_base64(value["data"])
    except (ValueError, OSError) as error:
        raise ValueError(f"'data' is not a picture in base64: {error}") from error


def _dump(image: Image) -> dict[str, str]:
    return {"data": image.to_base64()}


def _sniff(data: bytes) -> MediaType | None:
    """Tell the format from the first bytes; None for those that vendors do not take."""
    # Not left to PIL, which takes tens of milliseconds to import and is not needed to pass a picture on.
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def _decode(data: bytes) -> PILImages.Image:
    try:
        from PIL import Image as PILImages  # noqa: PLC0415 - PIL is heavy and optional
        from PIL import UnidentifiedImageError  # noqa: PLC0415 - PIL is heavy and optional
    except ImportError as error:
        raise MissingExtraError("Reading the pixels of an image", "images") from error
    try:
        return PILImages.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        begin = f"which begin with {data[:16]!r}" if data else "as there are none"
        raise UnidentifiedImageError(
            f"PIL cannot identify an image in these {len(data):,} bytes, {begin}. Give an image file's bytes, whole."
        ) from error


def _encode_png(image: PILImages.Image) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="PNG")
    return buffer.getvalue()
