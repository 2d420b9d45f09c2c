/** Letters and digits that are not mistaken for each other when a person copies them. */
const READABLE = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const LENGTH = 20;

/** A password for a person to copy: 20 readable characters, some 115 bits. */
export function randomPassword(): string {
  const whole = Math.floor(256 / READABLE.length) * READABLE.length;
  let password = '';
  while (password.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH))) {
      // A remainder over the whole byte would favour the first letters.
      if (byte < whole && password.length < LENGTH) password += READABLE.charAt(byte % READABLE.length);
    }
  }
  return password;
}
