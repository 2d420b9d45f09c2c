import { describe, expect, it } from 'vitest';
import { parseCpu } from '@/components/quantity';
import {
  isAbsolutePath,
  isAtLeast,
  isCountOrPercent,
  isCpu,
  isDnsLabel,
  isEnvironmentName,
  isPortName,
  isVolumeName,
  isVolumeSize,
} from './rules';

describe('inline checks', () => {
  it('take names as Kubernetes does', () => {
    expect(['web', 'a', 'a-1'].every((name) => isDnsLabel(name))).toBe(true);
    expect(['', 'Web', '1web', 'web-', '-web', 'a_b', 'a.b'].some((name) => isDnsLabel(name))).toBe(false);
    expect(isDnsLabel('a'.repeat(51), 50)).toBe(false);
    expect(isPortName('http-8080')).toBe(true);
    expect(['80', 'http--a', 'a'.repeat(16), 'Http', '-a'].some(isPortName)).toBe(false);
    expect(['A', '_a1'].every(isEnvironmentName)).toBe(true);
    expect(['', '1A', 'A-B', 'A B'].some(isEnvironmentName)).toBe(false);
  });

  it('take volumes as the server does', () => {
    expect(['data', 'v1', '0'].every(isVolumeName)).toBe(true);
    expect(['', 'a-b', 'Data', 'a'.repeat(21)].some(isVolumeName)).toBe(false);
    expect(['1Mi', '10Gi', '500G', '1024Ti'].every(isVolumeSize)).toBe(true);
    expect(['', '1Ki', '10', '1025Ti', 'much'].some(isVolumeSize)).toBe(false);
  });

  it('take paths that lead somewhere', () => {
    expect(isAbsolutePath('/etc/a.yaml')).toBe(true);
    expect(['/', 'etc/a', '/a/', '/a/../b', ''].some(isAbsolutePath)).toBe(false);
  });

  it('take counts and percentages', () => {
    expect(['0', '3', '25%'].every(isCountOrPercent)).toBe(true);
    expect(['', '-1', '2.5', '%', '25 %'].some(isCountOrPercent)).toBe(false);
  });

  it('want more than nothing of a resource, and a limit no lower than the request', () => {
    expect(isCpu('0')).toBe(false);
    expect(isAtLeast(parseCpu, '1', '500m')).toBe(true);
    expect(isAtLeast(parseCpu, '250m', '0.5')).toBe(false);
    expect(isAtLeast(parseCpu, 'x', '1')).toBe(true);
  });
});
