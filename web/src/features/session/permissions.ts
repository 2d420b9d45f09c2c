import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { isPermitted, isPermittedSomewhere, type Scope } from './roles';
import { useSession } from './session';

export type { Scope } from './roles';

export interface Permit {
  allowed: boolean;
  /** Why not, for a tooltip. */
  reason: string | undefined;
}

/** Asks for permissions of the one who is signed in. */
export function usePermits(): (permission: string, scope?: Scope | 'anywhere') => Permit {
  const { t } = useTranslation();
  const { grants } = useSession();
  return useCallback(
    (permission, scope = {}) => {
      const allowed =
        scope === 'anywhere'
          ? isPermittedSomewhere(grants, permission)
          : isPermitted(grants, permission, scope);
      if (allowed) return { allowed, reason: undefined };
      const place =
        scope === 'anywhere' || !scope.project
          ? t('permission.everywhere')
          : [scope.project, scope.environment].filter(Boolean).join('/');
      return { allowed, reason: t('permission.missing', { permission, place }) };
    },
    [grants, t],
  );
}

export function usePermission(permission: string, scope?: Scope | 'anywhere'): Permit {
  return usePermits()(permission, scope);
}
