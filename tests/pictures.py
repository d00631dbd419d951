"""Pictures of a report: ``python -m pictures REPORT.html FOLDER``, one for each width and colour scheme."""

from __future__ import annotations

import sys
from pathlib import Path

from browser import chromium, missing

SIZES = {"phone": (390, 844), "wide": (1280, 960)}
SCHEMES = ("light", "dark")


def take(page: Path, folder: Path) -> list[Path]:
    """Photograph what is seen without scrolling; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with chromium() as browser:
        for name, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                tab.goto(page.resolve().as_uri())
                written.append(folder / f"report-{name}-{scheme}.png")
                tab.screenshot(path=written[-1])
                tab.close()
    return written


if __name__ == "__main__":
    if len(sys.argv) != 3 or missing():
        sys.exit(missing() or "usage: python -m pictures REPORT.html FOLDER")
    for picture in take(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.stdout.write(f"{picture}: {picture.stat().st_size / 1024:.0f} KiB\n")
