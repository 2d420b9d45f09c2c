import { client, ifMatch, send } from '@/api/client';
import { ApiError } from '@/api/error';
import type { Operation, Service } from '@/api/types';
import { pathOf } from '../actions/useServiceMutation';

export const BULK_KINDS = ['restart', 'scale', 'release', 'roll_back', 'delete'] as const;
export type BulkKind = (typeof BULK_KINDS)[number];

export const NEEDS: Record<BulkKind, string> = {
  restart: 'service:release',
  scale: 'service:write',
  release: 'service:release',
  roll_back: 'service:release',
  delete: 'service:delete',
};

/** What is asked of all of them. */
export interface BulkInput {
  /** `to` a number of replicas, or `by` so many more or fewer. */
  scale: 'to' | 'by';
  replicas: number;
  /** The tag in each one's own repository, or the same image for all. */
  release: 'tag' | 'image';
  image: string;
  comment: string;
}

export type Plan =
  | { will: 'restart'; replicas: number }
  | { will: 'scale'; from: number; to: number }
  | { will: 'release'; from: string; to: string }
  | { will: 'roll_back'; from: number; to: number }
  | { will: 'delete'; replicas: number }
  | {
      skip:
        | 'deleting'
        | 'stopped'
        | 'pinned'
        | 'same_replicas'
        | 'same_image'
        | 'no_image'
        | 'first_revision'
        | Exclude<Before, number>;
    };

/** The revision that ran before the current one; or that none is known, not yet, or not at all. */
export type Before = number | 'reading' | 'none_before' | 'unread';

/** The image of the same repository under another tag or digest; no tag gives none. */
export function withTag(image: string, tag: string): string {
  const bare = tag.trim().replace(/^[:@]/, '');
  if (bare === '') return '';
  const repository = image.split('@', 1)[0] ?? '';
  const slash = repository.lastIndexOf('/');
  const colon = repository.indexOf(':', slash + 1);
  const path = colon < 0 ? repository : repository.slice(0, colon);
  return `${path}${/^sha\d+:/.test(bare) ? '@' : ':'}${bare}`;
}

/**
 * The revision to go back to: of the last release that came to its end, or of the last one if none did. Not every
 * revision was ever released.
 */
export function releasedBefore(operations: readonly Operation[], current: number): Before {
  const releases = operations
    .filter(({ kind }) => kind === 'create_service' || kind === 'release_service')
    .filter(({ revision }) => revision && revision !== current)
    .sort((left, right) => Date.parse(right.created_at) - Date.parse(left.created_at));
  return (releases.find(({ state }) => state === 'succeeded') ?? releases[0])?.revision ?? 'none_before';
}

/** What will become of one service, or why nothing will. */
export function planFor(
  kind: BulkKind,
  service: Service,
  input: BulkInput,
  before: Before = 'reading',
): Plan {
  const { replicas, status } = service;
  if (service.deleting) return { skip: 'deleting' };
  switch (kind) {
    case 'restart':
      return status.wanted === 0 ? { skip: 'stopped' } : { will: 'restart', replicas: status.wanted };
    case 'scale': {
      if (service.placement.strategy?.type === 'pinned') return { skip: 'pinned' };
      const to = Math.max(0, input.scale === 'to' ? input.replicas : replicas + input.replicas);
      return to === replicas ? { skip: 'same_replicas' } : { will: 'scale', from: replicas, to };
    }
    case 'release': {
      const to = input.release === 'tag' ? withTag(service.image, input.image) : input.image.trim();
      if (to === '') return { skip: 'no_image' };
      return to === service.image ? { skip: 'same_image' } : { will: 'release', from: service.image, to };
    }
    case 'roll_back':
      if (service.revision <= 1) return { skip: 'first_revision' };
      return typeof before === 'number'
        ? { will: 'roll_back', from: service.revision, to: before }
        : { skip: before };
    case 'delete':
      return { will: 'delete', replicas: status.wanted };
  }
}

/** Asks for it; gives the operation that brings it about. */
export async function carryOut(service: Service, plan: Plan, comment: string) {
  if ('skip' in plan) return undefined;
  const path = pathOf(service);
  switch (plan.will) {
    case 'restart': {
      const reply = await send(
        client.POST('/api/v1/projects/{project}/environments/{environment}/services/{service}/restart', {
          params: { path },
        }),
      );
      return reply.operation;
    }
    case 'scale': {
      const now = await send(
        client.GET('/api/v1/projects/{project}/environments/{environment}/services/{service}', {
          params: { path },
        }),
      );
      // Other changes since it was chosen don't matter, another number of replicas does.
      if (now.replicas !== plan.from) {
        throw new ApiError(409, 'version_conflict', `${now.replicas} replicas are wanted by now`);
      }
      const reply = await send(
        client.PATCH('/api/v1/projects/{project}/environments/{environment}/services/{service}', {
          params: { path, header: ifMatch(now.version) },
          body: { replicas: plan.to },
        }),
      );
      return reply.operation;
    }
    case 'release':
    case 'roll_back': {
      const body = plan.will === 'release' ? { image: plan.to, comment } : { revision: plan.to, comment };
      const reply = await send(
        client.POST('/api/v1/projects/{project}/environments/{environment}/services/{service}/releases', {
          params: { path },
          body,
        }),
      );
      return reply.operation;
    }
    case 'delete': {
      const reply = await send(
        client.DELETE('/api/v1/projects/{project}/environments/{environment}/services/{service}', {
          params: { path },
        }),
      );
      return reply.operation;
    }
  }
}
