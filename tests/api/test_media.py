"""Uploading through the API: 202, processing, 200, and everything that is refused."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from quart.datastructures import FileStorage

from fediblog.config import Config
from fediblog.models import Account, Media
from fediblog.services import media
from tests.api.conftest import AppOf


def file(data: bytes, name: str = "x.png", kind: str = "image/png") -> FileStorage:
    return FileStorage(io.BytesIO(data), name, content_type=kind)


def png(width: int = 40, height: int = 30) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "orange").save(out, "PNG")
    return out.getvalue()


def left(config: Config) -> list[Path]:
    return [path for path in (config.data_dir / "media").rglob("*") if path.is_file()]


async def test_a_picture_is_202_until_processed_then_whole_and_attachable(
    app_of: AppOf, alice: Account, bob: Account
) -> None:
    hers, his = await app_of(alice), await app_of(bob)
    sent = {"form": {"description": "an orange", "focus": "0.5,-0.5"}}
    made = await hers.post("/api/v2/media", 202, files={"file": file(png())}, **sent)
    assert made["url"] is None and made["type"] == "image"
    path = f"/api/v1/media/{made['id']}"
    assert (await hers.get(path, 206))["url"] is None
    await hers.post("/api/v1/statuses", 422, json={"status": "x", "media_ids": [made["id"]]})

    await media.process(int(made["id"]))
    ready = await hers.get(path)
    assert ready["url"].startswith("http://localhost:8000/media/")
    assert ready["meta"]["original"] == {"width": 40, "height": 30, "size": "40x30", "aspect": 40 / 30}
    assert (ready["description"], ready["meta"]["focus"]) == ("an orange", {"x": 0.5, "y": -0.5})
    assert ready["blurhash"] and ready["preview_url"]

    await his.get(path, 404)
    await his.put(path, 404, json={"description": "mine"})
    await his.delete(path, 404)
    await his.post("/api/v1/statuses", 422, json={"status": "x", "media_ids": [made["id"]]})
    assert (await hers.put(path, json={"description": "a fruit"}))["description"] == "a fruit"
    status = await hers.post("/api/v1/statuses", json={"media_ids": [made["id"]]})
    assert status["content"] == "" and status["media_attachments"][0]["description"] == "a fruit"
    await hers.post("/api/v1/statuses", 422, json={"status": "again", "media_ids": [made["id"]]})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"{}",
        b"MZ\x90\x00",
    ],
)
async def test_what_is_no_picture_is_refused_and_leaves_nothing(
    app_of: AppOf, alice: Account, config: Config, data: bytes
) -> None:
    hers = await app_of(alice)
    await hers.post("/api/v2/media", 422, files={"file": file(data)})
    assert await Media.all().count() == 0
    assert left(config) == []


async def test_a_picture_bomb_fails_when_processed(app_of: AppOf, alice: Account, config: Config) -> None:
    hers = await app_of(alice)
    bomb = png(9000, 10)
    made = await hers.post("/api/v2/media", 202, files={"file": file(bomb)})
    await media.process(int(made["id"]))
    assert (await hers.get(f"/api/v1/media/{made['id']}", 422))["error"]
    assert left(config) == []


async def test_an_upload_over_the_limit_is_413_and_leaves_nothing(
    app_of: AppOf, alice: Account, config: Config
) -> None:
    hers = await app_of(alice)
    # Put together here: the test client takes a minute for fifty megabytes.
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n\x89PNG'
    body = b"".join([head, b"x" * 50 * 1024 * 1024, b"\r\n--b--\r\n"])
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    await hers.post("/api/v2/media", 413, data=body, headers=kind)
    assert await Media.all().count() == 0
    assert left(config) == []


@pytest.mark.parametrize(
    ("form", "status"),
    [({"focus": "9,9"}, 422), ({"focus": "nonsense"}, 422), ({"description": "x" * 1501}, 422),
     ({"description": "a\x00b"}, 400)],
)  # fmt: skip
async def test_bad_words_about_a_file_are_refused(
    app_of: AppOf, alice: Account, config: Config, form: Any, status: int
) -> None:
    hers = await app_of(alice)
    await hers.post("/api/v2/media", status, form=form, files={"file": file(png())})
    assert await Media.all().count() == 0
    assert left(config) == []


async def test_without_a_file_nothing_is_uploaded(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    await hers.post("/api/v2/media", 422, form={"description": "x"})
    await hers.post("/api/v2/media", 422, json={"description": "x"})
