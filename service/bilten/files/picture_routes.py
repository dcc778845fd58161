"""The frontends' own calls about uploads: `/uploads/*` (contract §2.2)."""

from bilten.context import Principal
from bilten.files import actions, list_queries, pictures, presets
from bilten.files.addresses import key_of
from bilten.files.errors import (
    ContentMismatch,
    FileDamaged,
    FileInfected,
    FileNotAllowed,
    FileNotFound,
    ImageTooLarge,
    InvalidFileType,
    NotYourFile,
    PictureTooLarge,
    QuotaExceeded,
    ScannerDown,
    UnknownPreset,
)
from bilten.files.intake import TakenIn
from bilten.files.list_queries import Row
from bilten.files.picture_schemas import (
    DeletePicture,
    EventPicture,
    EventPictureAnswer,
    Gallery,
    GalleryAnswer,
    Optimized,
    OptimizedAnswer,
    OptimizeQuery,
    Picture,
    PictureForm,
    ProfilePictureAnswer,
)
from bilten.services import Services
from bilten.web.answers import MessageAnswer
from bilten.web.endpoint import endpoint
from bilten.web.errors import BadRequest, ValidationFailed
from bilten.web.forms import FileField, Refusals, Upload

MAX_BYTES = 5 * 1024 * 1024
MAX_PICTURES = 10

IMAGE = FileField(
    "image",
    lambda _: MAX_BYTES,
    media_types=pictures.TYPES,
    description="A picture of at most 5 MiB.",
    refusals=Refusals(
        missing=lambda: BadRequest("No image file provided", code="NO_FILE"), too_large=lambda _: PictureTooLarge()
    ),
)
IMAGES = FileField(
    "images",
    lambda _: MAX_BYTES,
    most=MAX_PICTURES,
    media_types=pictures.TYPES,
    description="One to ten pictures, of at most 5 MiB each.",
    refusals=Refusals(
        missing=lambda: BadRequest("No image files provided", code="NO_FILE"),
        too_many=lambda: BadRequest("Too many files. Maximum is 10 files.", code="TOO_MANY_FILES"),
        too_large=lambda _: PictureTooLarge(),
    ),
)
REFUSALS = (
    InvalidFileType(),
    PictureTooLarge(),
    QuotaExceeded(),
    ContentMismatch(),
    ImageTooLarge(),
    FileDamaged(),
    FileNotAllowed(),
    FileInfected(),
    ScannerDown(),
)


def _picture(services: Services, row: Row) -> Picture:
    url = pictures.variant_url(services, row, "large", webp=False)
    return Picture(
        id=row["id"],
        filename=row["served_key"],
        originalName=row["name"],
        size=row["served_size"],
        mimetype=row["served_type"],
        url=url,
        thumbnail_url=pictures.variant_url(services, row, "thumbnail", webp=True),
        optimized_url=pictures.variant_url(services, row, "medium", webp=True),
    )


async def _profile_shown(
    services: Services, principal: Principal, answer: ProfilePictureAnswer
) -> ProfilePictureAnswer:
    (row,) = await pictures.shown(services, principal, [answer.data])
    await pictures.show_profile(services, principal, row)
    return ProfilePictureAnswer(message=answer.message, data=_picture(services, row))


@endpoint(
    "POST", "/uploads/profile-image", summary="Upload the picture of one's account", auth="user", tier="U",
    creates=True, files=[IMAGE], errors=REFUSALS, prepare=pictures.taken_in, afterwards=_profile_shown,
)  # fmt: skip
async def upload_profile_image(
    services: Services, principal: Principal, upload: Upload[PictureForm], prepared: list[TakenIn]
) -> ProfilePictureAnswer:
    """Answers when the picture has been found clean; the account shows it from then on."""
    del upload  # It has been taken in.
    (picture,) = await pictures.add(services, principal, "profiles", prepared)
    return ProfilePictureAnswer(message="Profile image uploaded successfully", data=picture)


async def _event_shown(services: Services, principal: Principal, answer: EventPictureAnswer) -> EventPictureAnswer:
    (row,) = await pictures.shown(services, principal, [answer.data])
    picture = _picture(services, row)
    data = EventPicture(**picture.model_dump(), cover_image_url=picture.url, featured_image_url=picture.url)
    return EventPictureAnswer(message=answer.message, data=data)


@endpoint(
    "POST", "/uploads/event-image", summary="Upload the picture of an event", auth="user", tier="U", creates=True,
    files=[IMAGE], errors=REFUSALS, prepare=pictures.taken_in, afterwards=_event_shown,
)  # fmt: skip
async def upload_event_image(
    services: Services, principal: Principal, upload: Upload[PictureForm], prepared: list[TakenIn]
) -> EventPictureAnswer:
    """Answers when the picture has been found clean. An event that is saved with its address keeps it."""
    del upload  # It has been taken in.
    (picture,) = await pictures.add(services, principal, "events", prepared)
    data = EventPicture(**picture.model_dump(), cover_image_url="", featured_image_url="")
    return EventPictureAnswer(message="Event image uploaded successfully", data=data)


async def _gallery_shown(services: Services, principal: Principal, answer: GalleryAnswer) -> GalleryAnswer:
    rows = await pictures.shown(services, principal, answer.data.files)
    files = [_picture(services, row) for row in rows]
    return GalleryAnswer(message=answer.message, data=Gallery(files=files, count=len(files)))


@endpoint(
    "POST", "/uploads/event-gallery", summary="Upload pictures of an event", auth="user", tier="U", creates=True,
    files=[IMAGES], errors=REFUSALS, prepare=pictures.taken_in, afterwards=_gallery_shown,
)  # fmt: skip
async def upload_event_gallery(
    services: Services, principal: Principal, upload: Upload[PictureForm], prepared: list[TakenIn]
) -> GalleryAnswer:
    """All of them or none: where one is refused, none is kept."""
    del upload  # They have been taken in.
    files = await pictures.add(services, principal, "gallery", prepared)
    return GalleryAnswer(
        message=f"{len(files)} images uploaded successfully", data=Gallery(files=files, count=len(files))
    )


@endpoint("GET", "/uploads/optimize", summary="The best address of a picture", tier="U", errors=[UnknownPreset()])
async def optimize_image(services: Services, query: OptimizeQuery) -> OptimizedAnswer:
    """One of the pictures that were made of an uploaded one. Addresses elsewhere go back unchanged, never fetched."""
    if not query.url:
        raise ValidationFailed("Image URL is required")
    preset = presets.find(query.width, query.height, query.quality, query.fit)
    if preset is None:
        raise UnknownPreset
    key = key_of(services.settings, query.url)
    row = await list_queries.served(services.db, key) if key else None
    shown = query.url
    if row is not None and row["visibility"] == "public":
        file = await list_queries.one(services.db, row["id"])
        if file is not None:
            shown = pictures.variant_url(services, file, preset.name, webp=query.format in ("auto", "webp"))
    return OptimizedAnswer(
        message="Optimized image URL generated successfully",
        data=Optimized(
            optimized_url=shown,
            original_url=query.url,
            width=query.width or "auto",
            height=query.height or "auto",
            quality=query.quality or "auto",
            format=query.format,
        ),
    )


@endpoint(
    "DELETE", "/uploads/delete", summary="Delete an uploaded file", auth="user", tier="U",
    errors=[FileNotFound(), NotYourFile()],
)  # fmt: skip
async def delete_upload(services: Services, body: DeletePicture, principal: Principal) -> MessageAnswer:
    """Named by its address."""
    if not body.file_url:
        raise ValidationFailed("File URL is required")
    key = key_of(services.settings, body.file_url)
    if key is None:
        raise FileNotFound
    await actions.remove_by_key(services, principal, key)
    return MessageAnswer(message="File deleted successfully")
