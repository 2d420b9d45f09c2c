import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Operation } from '@/api/types';

/** What an operation does, in the reader's language. */
export function useOperationTitle(): (operation: Operation) => string {
  const { t } = useTranslation();
  return useCallback(
    ({ kind, revision }) =>
      kind === 'release_service' && revision
        ? t('operation.kind.release_service_revision', { revision })
        : t(`operation.kind.${kind}`),
    [t],
  );
}
