import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Checkbox, Tag, type TableColumnsType } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import type { RevisionSummary, Service } from '@/api/types';
import { Age } from '@/components/Age';
import { DataTable } from '@/components/DataTable';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Image } from '@/components/Image';
import { Pager } from '@/components/Pager';
import { PermitButton } from '@/components/PermitButton';
import { rowsOf } from '@/components/rowsOf';
import { useListState } from '@/components/useListState';
import { pathOf } from '../actions/useServiceMutation';
import { CompareDrawer } from './CompareDrawer';
import { ReleaseModal } from './ReleaseModal';
import styles from './detail.module.css';

/** Every version of the whole spec, the difference between any two, and the way back. */
export function RevisionsTab({ service }: { service: Service }) {
  const { t } = useTranslation();
  const list = useListState();
  const [chosen, setChosen] = useState<number[]>([]);
  const [compared, setCompared] = useState<{ from: number; to: number }>();
  const [released, setReleased] = useState<number>();
  const address = pathOf(service);
  const revisions = useQuery({
    ...read('/api/v1/projects/{project}/environments/{environment}/services/{service}/revisions', {
      params: { path: address, query: { limit: list.limit, cursor: list.cursor } },
    }),
    placeholderData: keepPreviousData,
  });
  const pair = [...chosen].sort((left, right) => left - right);

  const columns: TableColumnsType<RevisionSummary> = [
    {
      key: 'choose',
      title: <span className="visually-hidden">{t('revision.choose')}</span>,
      width: 36,
      render: (_, { number }) => (
        <Checkbox
          aria-label={t('revision.choose_one', { number })}
          checked={chosen.includes(number)}
          onChange={(event) =>
            setChosen(
              event.target.checked ? [...chosen.slice(-1), number] : chosen.filter((each) => each !== number),
            )
          }
        />
      ),
    },
    {
      key: 'number',
      title: t('word.revision'),
      render: (_, { number, current }) => (
        <span className="number">
          <strong>{number}</strong> {current && <Tag variant="filled">{t('revision.current')}</Tag>}
        </span>
      ),
    },
    { key: 'image', title: t('word.image'), render: (_, { image }) => <Image image={image} /> },
    {
      key: 'changed',
      title: t('revision.changed'),
      responsive: ['md'],
      render: (_, { changed, number }) =>
        number === 1 ? <span className="faint">{t('revision.first')}</span> : changed.join(', '),
    },
    {
      key: 'comment',
      title: t('word.comment'),
      responsive: ['lg'],
      render: (_, { comment }) => <div style={{ whiteSpace: 'normal', maxWidth: 320 }}>{comment}</div>,
    },
    {
      key: 'created',
      title: t('word.created'),
      render: (_, { created_at, created_by }) => (
        <span>
          <Age at={created_at} /> <span className="faint">· {created_by}</span>
        </span>
      ),
    },
    {
      key: 'actions',
      title: <span className="visually-hidden">{t('word.actions')}</span>,
      render: (_, { number, current }) =>
        current ? null : (
          <span style={{ display: 'inline-flex', gap: 6 }}>
            <Button size="small" onClick={() => setCompared({ from: service.revision, to: number })}>
              {t('revision.compare_current')}
            </Button>
            <PermitButton
              size="small"
              permission="service:release"
              scope={address}
              blocked={service.deleting ? t('service.being_deleted') : undefined}
              onClick={() => setReleased(number)}
            >
              {number < service.revision ? t('revision.roll_back') : t('revision.release')}
            </PermitButton>
          </span>
        ),
    },
  ];

  return (
    <>
      <div className={styles.filters}>
        <Button
          disabled={pair.length !== 2}
          onClick={() => {
            const [from, to] = pair;
            if (from !== undefined && to !== undefined) setCompared({ from, to });
          }}
        >
          {pair.length === 2
            ? t('revision.compare_pair', { from: pair[0], to: pair[1] })
            : t('revision.compare_hint')}
        </Button>
      </div>
      <DataTable<RevisionSummary>
        label={t('service.tab_revisions')}
        rowKey="number"
        columns={columns}
        {...rowsOf(revisions)}
        empty={<EmptyPanel compact title={t('revision.empty_title')} text={t('revision.empty_text')} />}
        footer={<Pager paging={list.paging} page={revisions.data} />}
      />
      {compared && <CompareDrawer service={service} {...compared} onClose={() => setCompared(undefined)} />}
      {released !== undefined && (
        <ReleaseModal service={service} revision={released} onClose={() => setReleased(undefined)} />
      )}
    </>
  );
}
