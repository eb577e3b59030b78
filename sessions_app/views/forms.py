"""The shape of what a page may send. Meaning (on the photo? a real wallpaper?) is for the services
to judge.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, QueryDict

from rendering import MODES
from sessions_app.errors import BadClick, BadLink, BadRequest, BadUpload
from sessions_app.models import Session
from sessions_app.services.wallpapers import MAX_LINK_LENGTH

CM = 100.0


class FileTooBig(BadUpload):
    """The file passed the limit while it was being received; the rest of it was not read."""

    status = 413
    code = "too_big"


class ClickForm(forms.Form):
    """One click in photo pixels."""

    x = forms.FloatField()
    y = forms.FloatField()
    label = forms.TypedChoiceField(choices=[("1", "include"), ("0", "exclude")], coerce=int)


class PlacementForm(forms.Form):
    """How the wallpaper lies on the wall, in the units of the page (centimetres)."""

    repeat_width_cm = forms.FloatField(
        required=False,
        min_value=0.5,
        max_value=2000,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            "The repeat width must be a number of centimetres from 0.5 to 2000, such as 53.",
        ),
    )
    drop = forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), "The drop must lie between 0 and 1; half is 0.5."
        ),
    )
    rotation_deg = forms.FloatField(
        required=False,
        min_value=-360,
        max_value=360,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), "The rotation must be a number of degrees."
        ),
    )
    mode = forms.ChoiceField(
        required=False,
        choices=[(mode, mode) for mode in MODES],
        error_messages={"invalid_choice": "Choose a repeating pattern or one of the murals."},
    )
    origin_x_cm = forms.FloatField(
        required=False, error_messages={"invalid": "The shift must be a number of centimetres."}
    )
    origin_y_cm = forms.FloatField(
        required=False, error_messages={"invalid": "The shift must be a number of centimetres."}
    )
    strip_width_cm = forms.FloatField(
        required=False,
        min_value=10,
        max_value=500,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            "The strip width must be a number of centimetres from 10 to 500, such as 53.",
        ),
    )
    brightness = forms.FloatField(required=False)
    keep_shadows = forms.FloatField(required=False)


class GenerateForm(forms.Form):
    """The page's name for this request, so that a second press is recognised; and the preview it
    was made by.
    """

    request_key = forms.CharField(max_length=64)
    seen = forms.CharField(max_length=64, required=False)


class CancelForm(forms.Form):
    """Which generation is meant: a page left open must not stop a newer one."""

    number = forms.IntegerField(min_value=1, max_value=1_000_000)


def read_click(data: QueryDict, session: Session) -> tuple[float, float, int]:
    """The click of a request: x and y in photo pixels, label 1 or 0.

    A browser without script sends an image button's `at.x` and `at.y`: whole CSS pixels of the
    picture as shown, counted from its corner, with the shown size beside them.

    Raises:
        BadClick: not numbers, or no label.
    """
    values: dict[str, Any] = data.dict()
    if "at.x" in values:
        try:
            shown = (float(values["shown_width"]), float(values["shown_height"]))
            values["x"] = (float(values["at.x"]) + 0.5) / shown[0] * session.width - 0.5
            values["y"] = (float(values["at.y"]) + 0.5) / shown[1] * session.height - 0.5
        except (KeyError, ValueError, ZeroDivisionError, OverflowError) as error:
            raise BadClick(
                "The click did not arrive whole. Please click the photo again."
            ) from error
        values.setdefault("label", "1")
    form = ClickForm(values)
    if not form.is_valid():
        raise BadClick(
            "A click needs two numbers, x and y, in pixels of the photo, "
            "and 1 to include or 0 to exclude."
        )
    return form.cleaned_data["x"], form.cleaned_data["y"], form.cleaned_data["label"]


def read_placement(data: QueryDict) -> dict[str, Any]:
    """The placement of a request in the services' units; fields that are absent or empty are left
    out.

    Raises:
        BadRequest: a field is not of its kind, or the repeat width was emptied.
    """
    if data.get("repeat_width_cm") == "":
        raise BadRequest("Give the repeat width in centimetres, such as 53.", code="bad_placement")
    form = PlacementForm(data)
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        label = name.replace("_cm", "").replace("_deg", "").replace("_", " ").capitalize()
        sentence = str(errors[0])
        shown = sentence if sentence.startswith(("The ", "Choose ")) else f"{label}: {sentence}"
        raise BadRequest(shown, code="bad_placement")
    given = {name: form.cleaned_data[name] for name in form.fields if data.get(name, "") != ""}
    placement = {name: value for name, value in given.items() if not name.endswith("_cm")}
    for name, target in (
        ("repeat_width_cm", "repeat_width_m"),
        ("origin_x_cm", "origin_x_m"),
        ("origin_y_cm", "origin_y_m"),
        ("strip_width_cm", "strip_width_m"),
    ):
        if name in given:
            placement[target] = round(given[name] / CM, 6)
    # An unchecked box is not sent at all, so the box counts where the form that has it was sent.
    for box in ("mirror", "seams"):
        if "mode" in given or box in data:
            placement[box] = data.get(box) in ("on", "true", "1")
    return placement


def read_file(request: HttpRequest) -> tuple[bytes, str]:
    """The one uploaded file of a request: its bytes and the name the browser gave it.

    Raises:
        FileTooBig: it passed the limit.
        BadUpload: there is none.
    """
    limit = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
    files = request.FILES.getlist("file")
    if getattr(request, "upload_too_big", False):
        raise FileTooBig(f"This file is too large: at most {limit} MB can be taken.")
    if not files:
        raise BadUpload("Choose a file first.", code="no_file")
    if len(files) > 1:
        raise BadUpload("Choose one file; several came at once.", code="several_files")
    return files[0].read(), files[0].name or ""


def read_link(data: QueryDict) -> str:
    """The wallpaper link of a request.

    Raises:
        BadLink: empty or absurdly long.
    """
    url = data.get("url", "").strip()
    if not url:
        raise BadLink("Paste the address of a wallpaper picture first.", code="empty_link")
    if len(url) > MAX_LINK_LENGTH:
        raise BadLink(f"This link is longer than {MAX_LINK_LENGTH} characters.", code="long_link")
    return url


def read_choice(data: QueryDict) -> UUID | str:
    """The chosen wallpaper: the id of one the room has, or the slug of a design.

    Raises:
        BadRequest: nothing is chosen.
    """
    choice = data.get("slug", "")
    if not choice:
        raise BadRequest("Choose a wallpaper first.", code="no_choice")
    try:
        return UUID(choice)
    except ValueError:
        return choice


def read_generate(data: QueryDict) -> tuple[str, str | None]:
    """The page's name for this generation, and the version of the preview it showed (None: it
    showed none).

    Raises:
        BadRequest: it is missing or too long, so a second press could not be told from a new wish.
    """
    form = GenerateForm(data)
    if not form.is_valid():
        raise BadRequest(
            "This page is out of date. Reload it and try again.", code="no_request_key"
        )
    return str(form.cleaned_data["request_key"]), form.cleaned_data["seen"] or None


def read_cancel(data: QueryDict) -> int:
    """The number of the generation to stop.

    Raises:
        BadRequest: it is missing or no number.
    """
    form = CancelForm(data)
    if not form.is_valid():
        raise BadRequest("This page is out of date. Reload it and try again.", code="no_number")
    return int(form.cleaned_data["number"])
