import { describe, expect, it } from 'vitest';
import { figure } from './figures';

describe('figure', () => {
  it('is as precise as a number is small', () => {
    const shown = [0, 0.00291, 0.5, 1.234, 25.67, 1_234.5].map((value) => figure(value, 'en'));
    expect(shown).toEqual(['0', '0.0029', '0.5', '1.23', '25.7', '1,235']);
  });
});
