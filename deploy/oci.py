"""OCI image archives with nothing but Python, in the form that `ctr images import` and `skopeo copy oci-archive:` read.

The same input gives the same bytes, hence the same digests.
"""

import hashlib
import io
import json
import subprocess
import tarfile

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


def write(path, name, layers, config):
    """Writes an image called `name` (with its registry and its tag); `config` has the fields of the image's config."""
    blobs = {}

    def store(kind, blob):
        blobs[digest(blob)] = blob
        return {"mediaType": kind, "digest": digest(blob), "size": len(blob)}

    architecture = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    described = {
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], "WorkingDir": "/", **config},
        "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z"} for _ in layers],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": store(f"{OCI}.config.v1+json", json.dumps(described).encode()),
        "layers": [store(f"{OCI}.layer.v1.tar", each) for each in layers],
    }
    index = store(f"{OCI}.manifest.v1+json", json.dumps(manifest).encode())
    index["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
    with tarfile.open(path, "w") as archive:
        entry(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}', 0o644)
        entry(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": [index]}).encode(), 0o644)
        for name_of_blob, blob in blobs.items():
            entry(archive, "blobs/" + name_of_blob.replace(":", "/"), blob, 0o644)
