import type { Grant, Role } from '@/api/types';

/** Where something is to be done; the wider the fewer names. */
export interface Scope {
  project?: string;
  environment?: string;
}

/**
 * What each role holds, as the server has it (services/shared/auth). The server decides; this says
 * beforehand why a button would be refused.
 */
const EVERY = null;
const HELD: Record<Role, readonly string[] | null> = {
  platform_admin: EVERY,
  operator: EVERY,
  project_owner: EVERY,
  developer: [
    'cluster:read',
    'project:read',
    'service:read',
    'service:write',
    'service:release',
    'operation:read',
    'pod:read',
    'pod:logs',
    'pod:delete',
  ],
  viewer: ['cluster:read', 'project:read', 'service:read', 'operation:read', 'pod:read', 'pod:logs'],
};
const DENIED: Partial<Record<Role, readonly string[]>> = {
  operator: ['user:write'],
  project_owner: ['cluster:write', 'quota:write', 'user:read', 'user:write'],
};

export function roleHolds(role: Role, permission: string): boolean {
  if (DENIED[role]?.includes(permission)) return false;
  const held = HELD[role];
  return held === EVERY || (held?.includes(permission) ?? false);
}

function covers(grant: Grant, scope: Scope): boolean {
  return (
    (!grant.project || grant.project === scope.project) &&
    (!grant.environment || grant.environment === scope.environment)
  );
}

/** Whether the permission is held at this place; without a project it must be held everywhere. */
export function isPermitted(grants: Grant[], permission: string, scope: Scope): boolean {
  return grants.some((grant) => roleHolds(grant.role, permission) && covers(grant, scope));
}

/** The environments of a project where alone the permission is held; undefined where it is held in all of it. */
export function environmentsWith(grants: Grant[], permission: string, project: string): string[] | undefined {
  if (isPermitted(grants, permission, { project })) return undefined;
  const parts = grants.filter((grant) => grant.project === project && roleHolds(grant.role, permission));
  return parts.flatMap(({ environment }) => environment ?? []);
}

/** Whether the permission is held anywhere at all: for pages that show what one may see. */
export function isPermittedSomewhere(grants: Grant[], permission: string): boolean {
  return grants.some((grant) => roleHolds(grant.role, permission));
}
