import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, DatePicker, Input, Select, type TableColumnsType } from 'antd';
import dayjs from 'dayjs';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { read } from '@/api/client';
import type { AuditOutcome, AuditRecord } from '@/api/types';
import { useLanguage } from '@/app/LanguageProvider';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyList } from '@/components/EmptyPanel';
import { FilterBar, SearchFilter } from '@/components/FilterBar';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { auditTone } from '@/components/status';
import { StateTag } from '@/components/StateTag';
import { formatTime } from '@/components/time';
import { ProjectFilter } from '@/components/PlaceFilters';
import { rowsOf } from '@/components/rowsOf';
import { eachOf, useFilters } from '@/components/useFilters';
import { AuditDrawer } from './AuditDrawer';
import { ExportButton } from './ExportButton';

const FILTERS = ['q', 'actor', 'action', 'target', 'project', 'outcome', 'since', 'until'] as const;
type Filter = (typeof FILTERS)[number];
const OUTCOMES: AuditOutcome[] = ['succeeded', 'refused', 'failed', 'unknown'];

/** The record of every change: who, what, on what, from where, and how it ended. */
export function Page() {
  const { t, i18n } = useTranslation();
  const { tag } = useLanguage();
  const actionWord = (action: string): string => {
    const key = `audit.action.${action}`;
    return i18n.exists(key) ? t(key as 'audit.action.create_service') : action;
  };
  const label = (name: Filter): string => {
    switch (name) {
      case 'q':
        return t('filter.text');
      case 'project':
        return t('word.project');
      case 'target':
        return t('word.target');
      case 'action':
        return t('audit.action_label');
      default:
        return t(`audit.${name}`);
    }
  };
  const list = useFilters(FILTERS, {
    label,
    value: (name, value) => {
      if (name === 'outcome') return eachOf(value, (one) => t(`state.audit.${one as AuditOutcome}`));
      return name === 'since' || name === 'until' ? formatTime(value, 'moment', tag) : value;
    },
  });
  const { filters } = list;
  const [search, setSearch] = useSearchParams();
  const opened = search.get('record') ?? undefined;
  const open = (id: string | undefined) =>
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (id) next.set('record', id);
      else next.delete('record');
      return next;
    });
  const records = useQuery({
    ...read('/api/v1/audit', { params: { query: { limit: list.limit, cursor: list.cursor, ...filters } } }),
    placeholderData: keepPreviousData,
  });

  const columns: TableColumnsType<AuditRecord> = [
    { key: 'at', title: t('audit.at'), render: (_, { at }) => <Age at={at} /> },
    {
      key: 'actor',
      title: t('audit.actor'),
      render: (_, { actor, via }) => (
        <div>
          {actor || <span className="faint">–</span>}
          <div className="faint">
            {i18n.exists(`audit.via.${via}`) ? t(`audit.via.${via}` as 'audit.via.session') : via}
          </div>
        </div>
      ),
    },
    {
      key: 'action',
      title: t('audit.action_label'),
      render: (_, { id, action, target, project, environment }) => (
        <div style={{ whiteSpace: 'normal', overflowWrap: 'anywhere', maxWidth: 'min(440px, 42vw)' }}>
          <Button
            type="link"
            style={{ height: 'auto', padding: 0, whiteSpace: 'normal' }}
            onClick={() => open(id)}
          >
            {actionWord(action)}
          </Button>
          <div className="faint">
            <span className="mono">{target}</span>
            {project && ` · ${[project, environment].filter(Boolean).join('/')}`}
          </div>
        </div>
      ),
    },
    {
      key: 'outcome',
      title: t('audit.outcome'),
      render: (_, { outcome, error }) => (
        <div style={{ whiteSpace: 'normal', maxWidth: 320 }}>
          <StateTag tone={auditTone(outcome)} label={t(`state.audit.${outcome}`)} />
          {error && <div className="muted">{error}</div>}
        </div>
      ),
    },
    {
      key: 'from',
      title: t('audit.from'),
      responsive: ['md'],
      render: (_, { remote_address }) => <span className="mono">{remote_address}</span>,
    },
  ];

  return (
    <>
      <PageHeader
        title={t('menu.audit')}
        subtitle={t('audit.text')}
        actions={<ExportButton filters={filters} />}
      />
      <FilterBar {...list.bar}>
        <SearchFilter {...list.one('q')} placeholder={t('audit.search')} />
        {(['actor', 'target'] as const).map((name) => (
          <Input
            key={`${name} ${filters[name] ?? ''}`}
            style={{ width: 150 }}
            aria-label={label(name)}
            placeholder={label(name)}
            defaultValue={filters[name]}
            onPressEnter={({ currentTarget }) =>
              list.setFilter(name, currentTarget.value.trim() || undefined)
            }
            onBlur={({ currentTarget }) => {
              const value = currentTarget.value.trim() || undefined;
              if (value !== filters[name]) list.setFilter(name, value);
            }}
          />
        ))}
        <Select
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          aria-label={t('audit.action_label')}
          placeholder={t('audit.action_label')}
          {...list.one('action')}
          options={Object.keys(i18n.getResource(i18n.language, 'translation', 'audit.action') as object).map(
            (value) => ({
              value,
              label: actionWord(value),
            }),
          )}
        />
        <ProjectFilter {...list.one('project')} />
        <Select
          mode="multiple"
          allowClear
          maxTagCount="responsive"
          aria-label={t('audit.outcome')}
          placeholder={t('audit.outcome')}
          {...list.many('outcome')}
          options={OUTCOMES.map((value) => ({ value, label: t(`state.audit.${value}`) }))}
        />
        <DatePicker
          showTime={{ format: 'HH:mm' }}
          aria-label={t('audit.since')}
          placeholder={t('audit.since')}
          value={filters.since ? dayjs(filters.since) : null}
          onChange={(value) => list.setFilter('since', value?.toISOString())}
        />
        <DatePicker
          showTime={{ format: 'HH:mm' }}
          aria-label={t('audit.until')}
          placeholder={t('audit.until')}
          value={filters.until ? dayjs(filters.until) : null}
          onChange={(value) => list.setFilter('until', value?.toISOString())}
        />
      </FilterBar>
      <DataTable<AuditRecord>
        label={t('menu.audit')}
        rowKey="id"
        columns={columns}
        {...rowsOf(records)}
        empty={
          <EmptyList filtered={list.isFiltered} title={t('audit.empty_title')} text={t('audit.empty_text')} />
        }
        footer={<Pager paging={list.paging} page={records.data} />}
      />
      <AuditDrawer id={opened} word={actionWord} onClose={() => open(undefined)} />
    </>
  );
}
