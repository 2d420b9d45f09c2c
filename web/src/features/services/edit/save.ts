import { client, ifMatch, send } from '@/api/client';
import type { Service, ServiceSpec, SpecChange } from '@/api/types';
import { pathOf } from '../actions/useServiceMutation';
import { findChanges } from '../form/changes';
import { valuesToPlacement, valuesToSpec, wantedReplicas } from '../form/convert';
import type { ServiceValues } from '../form/values';

/** What was typed for a secret never shows; that it was typed does. */
function comparableSpec(values: ServiceValues): object {
  const spec = valuesToSpec(values);
  return {
    ...spec,
    secrets: values.secrets.map(({ name, mount, path, value, fingerprint }) => ({
      name,
      ...(mount === 'file' ? { path } : {}),
      value: value === '' ? fingerprint : '••••••',
    })),
  };
}

function comparableRest(values: ServiceValues): object {
  return {
    description: values.description,
    replicas: wantedReplicas(values),
    placement: valuesToPlacement(values),
  };
}

export interface EditChanges {
  /** They make a new revision. */
  spec: SpecChange[];
  /** They stand beside the revisions. */
  rest: SpecChange[];
}

export function editChanges(before: ServiceValues, after: ServiceValues): EditChanges {
  return {
    spec: findChanges(comparableSpec(before), comparableSpec(after)),
    rest: findChanges(comparableRest(before), comparableRest(after)),
  };
}

interface Saving {
  service: Service;
  values: ServiceValues;
  changes: EditChanges;
  comment: string;
  release: boolean;
  /** Told as soon as a part is stored, so that another try does not do it again. */
  onStored: (service: Service) => void;
}

/** Stores what changed: first what stands beside the spec, then the new revision on top of it. */
export async function saveEdit({
  service,
  values,
  changes,
  comment,
  release,
  onStored,
}: Saving): Promise<Service> {
  let current = service;
  if (changes.rest.length > 0) {
    const pinned = values.strategy === 'pinned';
    const reply = await send(
      client.PATCH('/api/v1/projects/{project}/environments/{environment}/services/{service}', {
        params: { path: pathOf(service), header: ifMatch(current.version) },
        body: {
          description: values.description,
          placement: valuesToPlacement(values),
          ...(pinned ? {} : { replicas: values.replicas }),
        },
      }),
    );
    current = reply.service;
    onStored(current);
  }
  if (changes.spec.length > 0) {
    const spec: ServiceSpec = valuesToSpec(values);
    const reply = await send(
      client.POST('/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions', {
        params: { path: pathOf(service), header: ifMatch(current.version) },
        body: { spec, comment, release },
      }),
    );
    current = reply.service;
    onStored(current);
  }
  return current;
}
