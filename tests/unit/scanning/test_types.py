"""Which types are taken, how clients may name them, and how large they may be."""

import pytest
from bilten.scanning.errors import Refused
from bilten.scanning.types import BY_MEDIA_TYPE, BY_NAME, NAMES, TYPES, AllowedTypes, size

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("image/jpeg", "jpeg"),
        ("IMAGE/JPEG", "jpeg"),
        ("image/jpg", "jpeg"),
        ("image/png; charset=utf-8", "png"),
        (" application/pdf ;version=1.7", "pdf"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        ("application/vnd.oasis.opendocument.text", "odt"),
    ],
)
def test_a_declared_type_is_known_with_parameters_in_any_case(declared: str, name: str):
    assert AllowedTypes().declared(declared).name == name


@pytest.mark.parametrize(
    "declared",
    ["", "text/html", "application/octet-stream", "image/*", "application/zip", "image/tiff", "image/jpeg,image/png",
     "application/vnd.ms-word.document.macroEnabled.12", "image/heic", "video/mp4"],
)  # fmt: skip
def test_any_other_type_is_refused_with_a_list_of_those_that_are_taken(declared: str):
    with pytest.raises(Refused, match="JPEG, PNG, WEBP, GIF, PDF, DOC, DOCX, XLSX, ODT") as refused:
        AllowedTypes().declared(declared)
    assert refused.value.code == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("declared", ["image/svg+xml", "image/svg+xml; charset=utf-8"])
def test_svg_is_refused_with_its_reason(declared: str):
    with pytest.raises(Refused, match="scripts, foreign objects") as refused:
        AllowedTypes().declared(declared)
    assert refused.value.code == "UNSUPPORTED_MEDIA_TYPE"


def test_images_may_have_10_mib_and_documents_50():
    allowed = AllowedTypes()
    for each in TYPES:
        limit = (10 if each.kind == "image" else 50) * MIB
        allowed.check_size(each, limit)
        with pytest.raises(Refused, match=f"{limit // MIB} MiB") as refused:
            allowed.check_size(each, limit + 1)
        assert refused.value.code == "FILE_TOO_LARGE"
    assert allowed.largest == 50 * MIB


def test_an_empty_file_is_refused():
    with pytest.raises(Refused) as refused:
        AllowedTypes().check_size(BY_NAME["pdf"], 0)
    assert refused.value.code == "EMPTY_FILE"


def test_an_installation_may_take_fewer_types_of_other_sizes():
    allowed = AllowedTypes.named(["png"], max_image_bytes=7, max_document_bytes=900)
    assert allowed.largest == 7
    with pytest.raises(Refused, match="Taken are: PNG"):
        allowed.declared("image/jpeg")


def test_every_extension_and_media_type_means_one_type():
    extensions = [each for kind in TYPES for each in kind.extensions]
    called = [each for kind in TYPES for each in (kind.media_type, *kind.aliases)]
    assert len(set(extensions)) == len(extensions)
    assert len(set(called)) == len(called)
    assert tuple(BY_NAME) == NAMES


def test_what_is_stored_of_a_type_leads_back_to_it():
    assert [BY_MEDIA_TYPE[kind.media_type] for kind in TYPES] == list(TYPES)
    assert "image/jpg" not in BY_MEDIA_TYPE, "what clients call it is never stored"


@pytest.mark.parametrize(("number", "said"), [(5, "5 bytes"), (1536, "1.5 KiB"), (10 * MIB, "10 MiB")])
def test_sizes_are_said_in_their_unit(number: int, said: str):
    assert size(number) == said
