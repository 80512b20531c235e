import base64
import io
import sys
from pathlib import Path

import PIL.Image
import pytest
from pydantic import BaseModel, ValidationError

from symposia.core import Image
from symposia.core.exceptions import ArgumentTypeError, MissingExtraError

BLACK = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAC0lEQVR4nGNgQAYAAA4AAamRc7EAAAAASUVORK5CYII="  # PNG, two by two
)
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}


def encoded(file_format: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (3, 2), "red").save(buffer, format=file_format)
    return buffer.getvalue()


class Holder(BaseModel):
    picture: Image


@pytest.fixture
def without_pil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_picture_that_vendors_take_is_kept_as_it_is(file_format: str) -> None:
    data = encoded(file_format)
    image = Image.from_base64(base64.b64encode(data).decode())
    assert (image.data, image.media_type) == (data, FORMATS[file_format])


def test_a_picture_in_another_format_becomes_png() -> None:
    image = Image(encoded("BMP"))
    assert image.media_type == "image/png"
    assert image.image.getpixel((0, 0)) == (255, 0, 0)


def test_a_picture_of_pil_becomes_rgb() -> None:
    for mode in ("L", "RGBA", "CMYK"):
        image = Image.from_pil(PIL.Image.new(mode, (2, 2)))
        assert PIL.Image.open(io.BytesIO(image.data)).mode == "RGB"


def test_pixels_are_rgb() -> None:
    buffer = io.BytesIO()
    PIL.Image.new("RGBA", (2, 2)).save(buffer, format="PNG")
    assert Image(buffer.getvalue()).image.mode == "RGB"


def test_changing_the_picture_of_pil_afterwards_changes_nothing() -> None:
    original = PIL.Image.new("RGB", (1, 1), "red")
    image = Image(original)
    original.putpixel((0, 0), (0, 0, 0))
    assert image.image.getpixel((0, 0)) == (255, 0, 0)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encoded("JPEG"))
    assert Image.from_file(path).data == encoded("JPEG")


def test_a_data_uri_comes_back_as_it_was() -> None:
    uri = "data:image/webp;base64," + base64.b64encode(encoded("WEBP")).decode()
    assert Image.from_uri(uri).data_uri == uri


def test_the_openai_format_holds_the_uri_and_the_detail() -> None:
    image = Image(encoded("PNG"))
    assert image.to_openai_format() == {"type": "image_url", "image_url": {"url": image.data_uri, "detail": "auto"}}
    assert image.to_openai_format("low")["image_url"]["detail"] == "low"


def test_a_notebook_shows_the_picture() -> None:
    image = Image(encoded("PNG"))
    assert image._repr_html_() == f'<img src="{image.data_uri}"/>'


@pytest.mark.parametrize("uri", ["https://example.org/a.png", "data:text/plain;base64,AAAA", "data:image/png,AAAA"])
def test_a_uri_that_holds_no_picture_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="data:image/<type>;base64"):
        Image.from_uri(uri)


def test_base64_text_that_is_cut_off_is_refused() -> None:
    with pytest.raises(ValueError, match=r"is cut off .* Give it whole"):
        Image.from_base64("AAA")


@pytest.mark.parametrize("text", ["!!", "", "no base64!", "aGVsbG8="])
def test_text_that_is_no_picture_is_refused_with_the_error_that_autogen_raises(text: str) -> None:
    with pytest.raises(PIL.UnidentifiedImageError, match="cannot identify an image"):
        Image.from_base64(text)


def test_base64_text_may_have_line_breaks() -> None:
    data = encoded("PNG")
    assert Image.from_base64(base64.encodebytes(data).decode()).data == data


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(OSError, match=r"begin with b'no picture'. Give an image file's bytes"):
        Image(b"no picture")


def test_images_are_equal_when_their_bytes_are() -> None:
    first, second, other = Image(encoded("PNG")), Image(encoded("PNG")), Image(encoded("GIF"))
    assert first == second
    assert hash(first) == hash(second)
    assert first != other
    assert first != "picture"


def test_a_representation_does_not_spill_the_picture() -> None:
    data = encoded("PNG")
    assert repr(Image(data)) == f"Image(image/png, {len(data)} bytes)"


def test_a_model_field_takes_an_image_and_keeps_it() -> None:
    image = Image(encoded("PNG"))
    assert Holder(picture=image).picture is image


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_model_field_survives_json(file_format: str) -> None:
    holder = Holder(picture=Image(encoded(file_format)))
    assert Holder.model_validate_json(holder.model_dump_json()) == holder
    assert Holder.model_validate(holder.model_dump()) == holder


def test_a_model_field_is_written_as_autogen_writes_it() -> None:
    image = Image(encoded("PNG"))
    assert Holder(picture=image).model_dump() == {"picture": {"data": image.to_base64()}}


def test_a_model_field_has_a_json_schema() -> None:
    assert Holder.model_json_schema()["properties"]["picture"]["required"] == ["data"]


@pytest.mark.parametrize("value", [{"data": "no base64!"}, {"data": "AAAA"}, {}, 1, "text"])
def test_a_model_field_refuses_what_is_no_picture(value: object) -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate({"picture": value})


@pytest.mark.usefixtures("without_pil")
def test_encoded_pictures_do_not_need_pil() -> None:
    image = Image.from_base64(BLACK)
    assert Holder.model_validate_json(Holder(picture=image).model_dump_json()).picture.to_base64() == BLACK
    assert Image.from_uri(image.data_uri).to_openai_format("high")["image_url"]["url"] == image.data_uri


@pytest.mark.usefixtures("without_pil")
def test_pixels_without_pil_raise_an_error_that_says_what_to_install() -> None:
    image = Image.from_base64(BLACK)
    with pytest.raises(MissingExtraError, match=r"symposia\[images\]"):
        _ = image.image


def test_a_path_is_no_picture() -> None:
    with pytest.raises(ArgumentTypeError, match=r"not of 'cat\.png'\. A file is read by Image\.from_file\(Path\("):
        Image("cat.png")  # pyright: ignore[reportArgumentType] - tested
