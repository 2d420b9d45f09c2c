import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { Price } from '@/api/types';
import { useLanguage } from '@/app/LanguageProvider';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Pager } from '@/components/Pager';
import { StateTag } from '@/components/StateTag';
import { useListState } from '@/components/useListState';
import { useNow } from '@/components/useNow';
import { money } from './figures';

const NAMES = [] as const;

/** Every price with the hours that it is for, the newest first. */
export function PriceHistory() {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  const now = useNow();
  const list = useListState(NAMES);
  const { limit, cursor } = list;
  const history = useQuery({
    ...read('/api/v1/prices/history', { params: { query: { sort: '-valid_from', limit, cursor } } }),
    placeholderData: keepPreviousData,
  });
  const time = (at: string) =>
    new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at));
  const isNow = ({ valid_from, valid_to }: Price) =>
    Date.parse(valid_from) <= now && (!valid_to || now < Date.parse(valid_to));
  const amount = (key: 'cpu_core_hour' | 'memory_gib_hour' | 'gpu_hour' | 'storage_gib_hour') => ({
    key,
    title: t(`prices.${key}`),
    align: 'end' as const,
    render: (_: unknown, price: Price) => {
      const value = price[key];
      return value === undefined || value === null ? (
        <span className="faint">{t('prices.none')}</span>
      ) : (
        <span className="number">{money(value, price.currency, tag)}</span>
      );
    },
  });
  const columns: TableColumnsType<Price> = [
    {
      key: 'valid_from',
      title: t('prices.valid_from'),
      render: (_, price) => (
        <>
          {/* Where there was one price for all time, it began with time itself. */}
          {Date.parse(price.valid_from) === 0 ? t('prices.always') : time(price.valid_from)}{' '}
          {isNow(price) && <StateTag tone="running" label={t('prices.current')} />}
          {Date.parse(price.valid_from) > now && <StateTag tone="progressing" label={t('prices.upcoming')} />}
        </>
      ),
    },
    {
      key: 'valid_to',
      title: t('prices.valid_to'),
      render: (_, { valid_to }) => (valid_to ? time(valid_to) : <span className="faint">–</span>),
    },
    amount('cpu_core_hour'),
    amount('memory_gib_hour'),
    amount('gpu_hour'),
    amount('storage_gib_hour'),
    { key: 'set_by', title: t('word.by'), render: (_, { set_by }) => set_by },
  ];
  return (
    <DataTable<Price>
      label={t('prices.history')}
      rowKey={({ valid_from }) => valid_from}
      columns={columns}
      items={history.data?.items}
      loading={history.isLoading}
      error={history.error}
      onRetry={() => void history.refetch()}
      empty={<EmptyPanel compact title={t('prices.empty_title')} text={t('prices.empty_text')} />}
      footer={<Pager paging={list.paging} page={history.data} />}
    />
  );
}
