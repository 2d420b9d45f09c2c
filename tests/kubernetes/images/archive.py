"""Writes the images of the test clusters as OCI archives: `archive.py FOLDER`.

FOLDER holds the programs `busybox`, `web` and `pause`; the archives come beside them, one `.tar` an image.
"""

import pathlib
import subprocess
import sys

from oci import entry, layer, write

REGISTRY = "longshore.test"
CRASH = "echo 'crash: the database at db.example:5432 refused the connection' >&2; sleep 1; exit 1"


def save(folder, name, layers, entrypoint, environment=()):
    config = {"Entrypoint": entrypoint, "Env": ["PATH=/bin", *environment]}
    write(folder / (name.replace(":", "-") + ".tar"), f"{REGISTRY}/{name}", layers, config)


def main():
    folder = pathlib.Path(sys.argv[1])
    busybox = folder / "busybox"
    applets = subprocess.run([busybox.resolve(), "--list"], check=True, capture_output=True, text=True).stdout.split()

    def fill_base(archive):
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp", "var"):
            entry(archive, name, mode=0o1777 if name == "tmp" else 0o755)
        entry(archive, "bin/busybox", busybox.read_bytes())
        for applet in applets:
            if applet != "busybox":
                entry(archive, f"bin/{applet}", link="busybox")
        entry(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n", 0o644)
        entry(archive, "etc/group", b"root:x:0:\n", 0o644)

    base = layer(fill_base)
    web = layer(lambda archive: entry(archive, "bin/web", (folder / "web").read_bytes()))
    pause = layer(lambda archive: entry(archive, "pause", (folder / "pause").read_bytes()))
    for version in ("1", "2"):
        save(folder, f"web:{version}", [base, web], ["/bin/web"], [f"IMAGE_VERSION={version}"])
    save(folder, "crash:1", [base], ["/bin/sh", "-c", CRASH])
    save(folder, "pause:1", [pause], ["/pause"])


if __name__ == "__main__":
    main()
