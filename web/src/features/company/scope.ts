import type { Grant, Role } from '@/api/types';

export const ROLES: Role[] = ['platform_admin', 'operator', 'project_owner', 'developer', 'viewer'];

/** Roles of the platform hold everywhere or not at all. */
export function isWithinProject(role: Role): boolean {
  return role !== 'platform_admin' && role !== 'operator';
}

/** `shop/test`, `shop`, or nothing for everywhere. */
export function placeOf({ project, environment }: Pick<Grant, 'project' | 'environment'>): string {
  return [project, environment].filter(Boolean).join('/');
}

/** What a form says, as a grant: a place only where the role takes one. */
export function grantOf(role: Role, project: string | undefined, environment: string | undefined): Grant {
  if (!isWithinProject(role) || !project) return { role };
  return environment ? { role, project, environment } : { role, project };
}
