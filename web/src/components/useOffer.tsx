import { keepPreviousData } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Page } from '@/api/types';
import { useDebounced } from './useDebounced';

/** So many are offered; whoever has more types a part of the name. */
export const OFFERED = 50;
const TYPING_MS = 200;

interface Found {
  data: Page<unknown> | undefined;
  isFetching: boolean;
}

/**
 * A list to choose from that the server searches. It is read when it is looked for, and not before: pages don't pay for
 * all that there is.
 */
export function useOffer() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const q = useDebounced(typed.trim(), TYPING_MS);
  return {
    open,
    typed: q,
    query: { q: q || undefined, limit: OFFERED, sort: 'name' },
    rest: { enabled: open, refetchInterval: false as const, placeholderData: keepPreviousData },
    /** What a `Select` takes to offer what was found. */
    select: ({ data, isFetching }: Found) => ({
      loading: isFetching,
      showSearch: { filterOption: false as const, onSearch: setTyped },
      onSelect: () => setTyped(''),
      onOpenChange: (opens: boolean) => {
        setOpen(opens);
        if (!opens) setTyped('');
      },
      popupRender: (menu: ReactElement) => (
        <>
          {menu}
          {data?.next_cursor && (
            <p className="muted" style={{ padding: '6px 12px', fontSize: 12 }}>
              {t('filter.more', { shown: data.items.length, total: data.total_estimate })}
            </p>
          )}
        </>
      ),
    }),
  };
}
