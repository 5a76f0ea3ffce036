"""What the rollout editor says beside the form: the choice of images, conflicts, sums of reach and progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mdm_tui.fleet.catalogue import CatalogueApp, Image
from mdm_tui.fleet.conflicts import Clash
from mdm_tui.fleet.inventory import Entry
from mdm_tui.fleet.inventory_text import Line, Spot, width_of, wrap
from mdm_tui.fleet.matching import Prediction
from mdm_tui.fleet.text import clean
from mdm_tui.fleet.values import show_bytes
from mdm_tui.tui.screens.rollout_form import app_words, image_words
from mdm_tui.tui.screens.rollouts_source import counted
from mdm_tui.tui.widgets.grid_text import glyphs
from mdm_tui.tui.widgets.lines import Part, part

__all__ = ["conflict_lines", "image_lines", "progress_parts", "reach_parts", "told"]

_OUTCOMES = {
    "install": ("installs", "info"), "there": ("has it already", "good"), "none": ("gets none", "muted"),
    "unknown": ("cannot be told", "warn"),
}  # fmt: skip
# More refused images than these are told together: a rollout for many products has many of them.
_REFUSED = 3
# What follows from all that is reported needs no word: that it is a prediction stands above.
_SURE = {"certain": ("", ""), "likely": ("likely", "warn"), "unknown": ("not known", "warn")}


def told(sentence: str, width: int, role: str = "muted") -> list[Line]:
    """A sentence on as many lines as it needs."""
    return [Line((("   ", ""), (piece, role))) for piece in wrap(clean(sentence, 2_000), max(20, width - 4))]


def image_lines(prediction: Prediction, images: Mapping[str, Image], refs: Sequence[str], width: int) -> list[Line]:
    """Which image each kind of device will get, why, how sure that is; and which the service will refuse.

    images: by the reference that the rollout uses; refs: those, in its order.
    """
    if not refs:
        return told("The rollout has no system images. + on System images in the form adds one.", width)
    names = {image.id: image_words(image, image.id) for image in images.values()}
    made: list[Line] = []
    for ref in refs:
        if ref not in images:
            words = f"{glyphs().fault} {ref} is not at the service: the rollout cannot be saved with it"
            made += told(words, width, "bad")
    title = Line(((" ", ""), ("Which image each kind of device gets", "accent")))
    made += [title, *told("Predicted from what devices and images report; the service decides.", width)]
    for number, kin in enumerate(prediction.kin):
        made.append(Line())
        made += _kin(number, kin, names, width)
    if not prediction.kin:
        made += told("It reaches no device that is known here, so nothing can be predicted.", width)
    if prediction.unused:
        made += [Line(), Line(((" ", ""), ("Images that no device will get", "accent")), anchor="unused")]
        for key in prediction.unused:
            unfit = key in prediction.unfit
            why = "is made for none of the devices: the service refuses it" if unfit else "another one is chosen"
            text = names.get(key, clean(key, 60))
            entry = Entry(text, why, "text", key, f"image:{key}")
            role = "warn" if unfit else ""
            spans = (("   ", ""), (text, role), (f"   {why}", role or "muted"))
            made.append(Line(spans, (Spot(3, max(1, width_of(text)), entry),)))
    return made


def _kin(number: int, kin: Any, names: Mapping[str, str], width: int) -> Iterator[Line]:
    choice = kin.choice
    outcome, role = _OUTCOMES[choice.outcome]
    sure, doubt = _SURE[choice.certainty]
    label = clean(kin.hardware.label, 60)
    build = f" on {clean(kin.hardware.build, 60)}" if kin.hardware.build else ""
    entry = Entry(label, outcome, "text", kin.devices[0] if kin.devices else "", f"kin:{number}")
    yield Line(
        ((" ", ""), (label, ""), (f"{build}   {counted(len(kin.devices), 'device')}   ", "muted"), (outcome, role),
         (f"   {glyphs().fault} to an OLDER build" if choice.older else "", "bad"),
         (f"   {sure}" if sure else "", doubt), (f"   {show_bytes(choice.size)}" if choice.size else "", "muted")),
        (Spot(1, max(1, width_of(label)), entry),),
    )  # fmt: skip
    for step, key in enumerate(choice.images, 1):
        lead = f"{step}. " if len(choice.images) > 1 else ""
        yield from told(f"{lead}{names.get(key, key)}", width, "info")
    yield from told(choice.reason, width, "muted" if choice.certainty == "certain" else "warn")
    for left in choice.left:
        if left.fits:
            yield from told(f"not {names.get(left.image, left.image)}: {left.why}", width)
    refused = [left for left in choice.left if not left.fits]
    for left in refused if len(refused) <= _REFUSED else ():
        yield from told(f"refused {names.get(left.image, left.image)}: {left.why}", width, "warn")
    if len(refused) > _REFUSED:
        whys = list(dict.fromkeys(left.why for left in refused))
        more = ", …" if len(whys) > _REFUSED else ""
        yield from told(f"refused {len(refused):,} images: {', '.join(whys[:_REFUSED])}{more}", width)


def conflict_lines(clashes: Sequence[Clash], names: Mapping[str, str], width: int) -> list[Line]:
    """Rollouts that want something else of the same devices. names: device → its name."""
    made = [Line(((" ", ""), ("Other enabled rollouts that want something else of the same devices", "accent")))]
    if not clashes:
        made += told("None, as last seen.", width, "good")
    for number, clash in enumerate(clashes):
        entry = Entry(clean(clash.other_name, 80), clash.sentence, "text", clash.other, f"rollout:{number}")
        made.append(Line())
        for row, piece in enumerate(wrap(clean(clash.sentence, 1_000), max(20, width - 5))):
            spots = (Spot(3, max(1, width_of(piece)), entry),) if row == 0 else ()
            sign = f"{glyphs().fault} " if row == 0 else "  "
            made.append(Line(((" ", ""), (sign, "warn"), (piece, "warn")), spots))
        for device in clash.examples:
            name = clean(names.get(device, device), 80)
            spot = Spot(5, max(1, width_of(name)), Entry(name, name, "id", device, f"device:{number}:{device}"))
            made.append(Line((("     ", ""), (name, "muted")), (spot,)))
    if clashes:
        made += [Line(), *told("enter opens the other rollout or the device.", width)]
    return made


def reach_parts(reach: Any, *, working: str = "", stale: bool = False) -> list[list[Part]]:
    """The lines over the list of what is reached."""
    if working:
        return [[part(f" {working}", "info"), part("   esc stops", "muted")]]
    if reach is None:
        return [[part(" Not found out yet; r does.", "muted")]]
    lines: list[list[Part]] = [[]]
    if reach.everyone:
        lines[0] = [part(f" EVERY device of the site: {reach.count:,}", "bad", bold=True)]
        if reach.total is not None and reach.total != reach.mirrored:
            lines[0].append(part(f"   {reach.mirrored:,} as last seen here", "muted"))
    else:
        least = "" if reach.complete else "at least "
        lines[0] = [part(f" {least}{counted(reach.count, 'device')}", "" if reach.count else "warn", bold=True)]
        if reach.with_below != reach.count:
            lines[0].append(
                part(f"   {reach.with_below:,} with the groups below, if the service includes them", "muted")
            )
    if stale:
        lines.append([part(f" {glyphs().fault} The scope has changed since: r finds it out anew.", "warn")])
    if reach.registers:
        words = f"Saving would register {counted(reach.registers, 'device')} that the service does not know."
        lines.append([part(f" {glyphs().fault} {words}", "warn")])
    if gone := sum(group.gone for group in reach.groups):
        lines.append([part(f" {glyphs().fault} {counted(gone, 'group')} of the scope: not at the service", "warn")])
    lines += [[part(f" {glyphs().fault} {note}", "warn")] for note in reach.notes[:2]]
    return lines


def progress_parts(progress: Any, apps: Mapping[str, CatalogueApp], width: int) -> list[list[Part]]:
    """The sums over the list of devices: one line an app, one for the images."""
    lines: list[list[Part]] = []
    counts = [(app_words(apps.get(ref), ref), count) for ref, count in progress.apps.items()]
    if progress.images is not None:
        counts.append(("System images", progress.images))
    for title, count in counts[:5]:
        said = [(count.done, "done", "good"), (count.waiting, "waiting", "info"), (count.unknown, "unknown", "warn"),
                (count.unfit, "not for it", "muted")]  # fmt: skip
        line = [part(f" {clean(title, max(20, width - 50))}   ")]
        line += [part(f"{number:,} {word}   ", role) for number, word, role in said if number]
        lines.append(line)
    if len(counts) > 5:
        lines.append([part(f" and {len(counts) - 5:,} more apps", "muted")])
    if not counts:
        lines.append([part(" The rollout installs nothing, so there is nothing to follow.", "muted")])
    if progress.apps and progress.asked < len(progress.devices):
        words = f" the apps of {progress.asked:,} of {len(progress.devices):,} devices are read, the rest follows"
        lines.append([part(words, "muted")])
    lines += [[part(f" {glyphs().fault} {note}", "warn")] for note in progress.notes[:2]]
    return lines
