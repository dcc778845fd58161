"""Which of the pictures that are made of every picture is meant by a width, a height and a quality.

Nothing is made when it is asked for: a thousand addresses that differ cost a thousand looks into a table.
"""

from bilten.scanning.render import PRESETS, Preset


def find(width: int | None, height: int | None, quality: int | None, fit: str | None) -> Preset | None:
    """The preset of this size; None when there is none. What is not said does not matter, but for the size."""
    if width is None and height is None:
        return next(preset for preset in PRESETS if preset.name == "large")
    meant = [
        preset
        for preset in PRESETS
        if (width or preset.width, height or preset.height) == (preset.width, preset.height)
        and quality in (None, preset.quality)
    ]
    wanted = [preset for preset in meant if fit is None or preset.cover == (fit == "cover")]
    return next(iter(wanted or meant), None)
