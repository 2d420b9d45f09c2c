import { describe, expect, it } from 'vitest';
import { fieldPath, placeFieldErrors } from './fieldErrors';

describe('the field that the server refuses', () => {
  it.each([
    ['name', ['name']],
    ['spec.image', ['image']],
    ['image', ['image']],
    ['env[2].name', ['env', 2, 'name']],
    ['config_files[0].path', ['config_files', 0, 'path']],
    ['resources.cpu_limit', ['resources', 'cpu_limit']],
    ['probes.readiness.check.port', ['probes', 'readiness', 'port']],
    ['probes.liveness.period_seconds', ['probes', 'liveness', 'period_seconds']],
    ['command[1]', ['command']],
    ['stop.pre_stop_command[0]', ['stop', 'pre_stop_command']],
    ['host_aliases[1].hostnames[0]', ['host_aliases', 1, 'hostnames']],
    ['placement.clusters[1]', ['clusters']],
    ['placement.min_per_cluster', ['min_per_cluster']],
    ['placement.max_percent_per_region', ['max_percent_per_region']],
    ['placement.tolerations[1].key', ['tolerations', 1, 'key']],
    ['placement.avoid[0]', ['avoid']],
    ['placement.strategy.weights[east]', ['weights', 'east']],
    ['placement.strategy.replicas[west]', ['pinned', 'west']],
  ])('%s is found in the form', (field, path) => {
    expect(fieldPath(field)).toEqual(path);
  });

  it('shows several messages at one field', () => {
    const { fields } = placeFieldErrors([
      { field: 'image', message: 'no tag' },
      { field: 'spec.image', message: 'no registry' },
    ]);
    expect(fields).toEqual([{ name: ['image'], errors: ['no tag', 'no registry'] }]);
  });

  it('keeps what no field can show', () => {
    const errors = [
      { field: 'placement.strategy.weights', message: 'none' },
      { field: 'annotations[a b]', message: 'no' },
      { field: 'kind', message: 'unknown' },
    ];
    expect(placeFieldErrors(errors)).toEqual({ fields: [], rest: errors });
  });
});
