import { describe, expect, it } from 'vitest';
import { LogBuffer, matches, MOST_CHARACTERS, MOST_LINES, parseLine, splitMatches } from './logBuffer';

describe('a log line', () => {
  it('is its time and its text', () => {
    expect(parseLine('2026-03-10T12:00:00.123456789Z hello world')).toEqual({
      time: '2026-03-10T12:00:00.123456789Z',
      text: 'hello world',
    });
    expect(parseLine('no time here')).toEqual({ time: undefined, text: 'no time here' });
    expect(parseLine('2026-03-10T12:00:00Z')).toEqual({ time: '2026-03-10T12:00:00Z', text: '' });
  });

  it('loses the escapes of terminals', () => {
    expect(parseLine('\u001b[32mINFO\u001b[0m ok').text).toBe('INFO ok');
  });
});

describe('the lines of a log', () => {
  it('keep their order and their numbers', () => {
    const buffer = new LogBuffer();
    buffer.append([{ text: 'a' }, { text: 'b' }]);
    buffer.append([]);
    buffer.append([{ text: 'c' }]);
    expect(buffer.lines.map(({ id, text }) => [id, text])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
  });

  it('make room for new ones', () => {
    const buffer = new LogBuffer();
    buffer.append(Array.from({ length: MOST_LINES }, (_, index) => ({ text: `old ${index}` })));
    buffer.append([{ text: 'new 1' }, { text: 'new 2' }]);
    expect(buffer.lines).toHaveLength(MOST_LINES);
    expect(buffer.dropped).toBe(2);
    expect(buffer.lines[0]?.text).toBe('old 2');
    expect(buffer.lines.at(-1)?.text).toBe('new 2');
  });

  it('make room for long ones, and the newest stays', () => {
    const buffer = new LogBuffer();
    const text = 'x'.repeat(MOST_CHARACTERS / 4);
    buffer.append(Array.from({ length: 6 }, () => ({ text })));
    expect(buffer.lines.map(({ id }) => id)).toEqual([3, 4, 5, 6]);
    expect(buffer.dropped).toBe(2);
    buffer.append([{ text: text.repeat(5) }]);
    expect(buffer.lines.map(({ id }) => id)).toEqual([7]);
    buffer.clear();
    buffer.append(Array.from({ length: 4 }, () => ({ text })));
    expect(buffer.lines).toHaveLength(4);
  });
});

describe('a search', () => {
  it('finds whatever the case, all of them, and text that looks like a pattern', () => {
    expect(splitMatches('Error: error', 'ERROR')).toEqual(['', 'Error', ': ', 'error', '']);
    expect(splitMatches('a.b(c)', '.b(')).toEqual(['a', '.b(', 'c)']);
    expect(splitMatches('abc', '')).toEqual(['abc']);
    expect(matches('abc', '')).toBe(false);
    expect(matches('aBc', 'BC')).toBe(true);
  });
});
