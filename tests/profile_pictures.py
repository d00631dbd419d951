"""Pictures of the profile page: ``python -m profile_pictures ENGLISH.html CHINESE.html FOLDER``, at two widths."""

from __future__ import annotations

import sys
from pathlib import Path

from browser import chromium, missing

SIZES = {"phone": (360, 1400), "wide": (1280, 1900)}


def take(pages: dict[str, Path], folder: Path) -> list[Path]:
    """Photograph the beginning of a page in each language; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with chromium() as browser:
        for language, page in pages.items():
            for name, (width, height) in SIZES.items():
                tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
                tab.goto(page.resolve().as_uri())
                written.append(folder / f"profile-{name}-{language}.png")
                tab.screenshot(path=written[-1])
                tab.close()
    return written


if __name__ == "__main__":
    if len(sys.argv) != 4 or missing():
        sys.exit(missing() or "usage: python -m profile_pictures ENGLISH.html CHINESE.html FOLDER")
    for picture in take({"en": Path(sys.argv[1]), "zh": Path(sys.argv[2])}, Path(sys.argv[3])):
        sys.stdout.write(f"{picture}: {picture.stat().st_size / 1024:.0f} KiB\n")
