import { describe, expect, it } from 'vitest';
import { randomPassword } from './password';

describe('a password that is made up', () => {
  it('is long, readable and another each time', () => {
    const made = Array.from({ length: 50 }, randomPassword);
    for (const password of made) expect(password).toMatch(/^[a-hjkmnp-zA-HJ-NP-Z2-9]{20}$/);
    expect(new Set(made).size).toBe(50);
  });
});
