"""Writes OCI image archives with nothing but Python: `archive.py FOLDER`.

FOLDER holds the programs `busybox`, `web` and `pause`; the archives come beside them, one `.tar` an image, in the
form that `ctr images import` reads. The same input gives the same bytes, hence the same digests.
"""

import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile

REGISTRY = "longshore.test"
CRASH = "echo 'crash: the database at db.example:5432 refused the connection' >&2; sleep 1; exit 1"
OCI = "application/vnd.oci.image"


def entry(archive, name, content=None, mode=0o755, link=None):
    """Adds a file, a symbolic link, or (with neither content nor link) a folder."""
    info = tarfile.TarInfo(name)
    info.mode = mode
    if link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, link
    elif content is None:
        info.type = tarfile.DIRTYPE
    else:
        info.size = len(content)
    archive.addfile(info, io.BytesIO(content) if content is not None else None)


def layer(fill):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        fill(archive)
    return raw.getvalue()


def digest(blob):
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def write(path, name, layers, entrypoint, environment=()):
    blobs = {}

    def store(kind, blob):
        blobs[digest(blob)] = blob
        return {"mediaType": kind, "digest": digest(blob), "size": len(blob)}

    architecture = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Entrypoint": entrypoint, "Env": ["PATH=/bin", *environment], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z"} for _ in layers],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": store(f"{OCI}.config.v1+json", json.dumps(config).encode()),
        "layers": [store(f"{OCI}.layer.v1.tar", each) for each in layers],
    }
    described = store(f"{OCI}.manifest.v1+json", json.dumps(manifest).encode())
    described["annotations"] = {"io.containerd.image.name": f"{REGISTRY}/{name}"}
    with tarfile.open(path, "w") as archive:
        entry(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}', 0o644)
        entry(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": [described]}).encode(), 0o644)
        for name_of_blob, blob in blobs.items():
            entry(archive, "blobs/" + name_of_blob.replace(":", "/"), blob, 0o644)


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
        write(folder / f"web-{version}.tar", f"web:{version}", [base, web], ["/bin/web"], [f"IMAGE_VERSION={version}"])
    write(folder / "crash-1.tar", "crash:1", [base], ["/bin/sh", "-c", CRASH])
    write(folder / "pause-1.tar", "pause:1", [pause], ["/pause"])


if __name__ == "__main__":
    main()
