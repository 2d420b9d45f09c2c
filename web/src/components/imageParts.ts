export interface ImageParts {
  registry: string;
  repository: string;
  /** The last part of the repository. */
  name: string;
  /** The tag, or the head of the digest. */
  tag: string;
}

/** Takes an image reference apart, as for showing it. */
export function imageParts(image: string): ImageParts {
  const [reference = '', digest] = image.split('@', 2);
  const slash = reference.lastIndexOf('/');
  const colon = reference.indexOf(':', slash + 1);
  const path = colon < 0 ? reference : reference.slice(0, colon);
  const tag = colon < 0 ? '' : reference.slice(colon + 1);
  const first = path.split('/', 1)[0] ?? '';
  const hasRegistry =
    path.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost');
  const repository = hasRegistry ? path.slice(first.length + 1) : path;
  return {
    registry: hasRegistry ? first : '',
    repository,
    name: repository.slice(repository.lastIndexOf('/') + 1),
    tag: tag || (digest ? digest.slice(0, 19) : ''),
  };
}

/** Whether it can be an image reference at all; the server has the last word. */
export function isImageReference(image: string): boolean {
  return /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/.test(
    image,
  );
}
