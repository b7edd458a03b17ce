"""Makes `fediblog/web/static/icons.svg`, one sprite of the pages' icons, from npm's lucide-static.

    npm pack lucide-static && tar xzf lucide-static-*.tgz
    python tools/build_icons.py package

The sprite is committed: nobody needs npm to run or install fediblog.
"""

import json
import re
import sys
from pathlib import Path

NAMES = """
arrow-left at-sign badge-check ban bell bell-off bookmark chart-column check
circle-alert circle-check clock download ellipsis eye-off feather globe hash history house
image info languages link lock log-in log-out mail menu monitor moon
external-link pencil pin pin-off quote repeat-2 reply rss search server settings shield smartphone
square-pen send star ticket trash-2 triangle-alert user user-check user-minus user-plus users
volume-2 volume-x vote x
""".split()

SPRITE = Path(__file__).parent.parent / "fediblog" / "web" / "static" / "icons.svg"

_INSIDE = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def main(package: Path) -> None:
    """Write the sprite from an unpacked package."""
    version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    symbols = "\n".join(_symbol(package, name) for name in NAMES)
    licence = f"Icons from lucide-static {version}, https://lucide.dev, ISC License, see LICENSES.txt"
    SPRITE.write_text(
        f'<!-- {licence} -->\n<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n', encoding="utf-8"
    )
    text = (package / "LICENSE").read_text(encoding="utf-8").strip()
    head = "icons.svg holds icons of lucide-static, under these terms:"
    SPRITE.with_name("LICENSES.txt").write_text(f"{head}\n\n{text}\n", encoding="utf-8")


def _symbol(package: Path, name: str) -> str:
    match = _INSIDE.search((package / "icons" / f"{name}.svg").read_text(encoding="utf-8"))
    if match is None:
        raise SystemExit(f"{name}: not an SVG file")
    inside = re.sub(r"\s*\n\s*", "", match[1]).replace(" />", "/>")
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inside}</symbol>'


if __name__ == "__main__":
    main(Path(sys.argv[1]))
