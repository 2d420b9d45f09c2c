import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { EmptyPanel } from '@/components/EmptyPanel';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { rowsOf } from '@/components/rowsOf';
import { useListState } from '@/components/useListState';
import { CreateTokenModal } from './CreateTokenModal';
import { TokenTable } from './TokenTable';

/** One's own API tokens. */
export function Page() {
  const { t } = useTranslation();
  const list = useListState();
  const [creating, setCreating] = useState(false);
  const tokens = useQuery({
    ...read('/api/v1/api-tokens', { params: { query: { limit: list.limit, cursor: list.cursor } } }),
    placeholderData: keepPreviousData,
  });
  const create = (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setCreating(true)}>
      {t('token.create')}
    </Button>
  );
  return (
    <>
      <PageHeader title={t('session.tokens')} subtitle={t('token.text')} actions={create} />
      <TokenTable
        {...rowsOf(tokens)}
        empty={<EmptyPanel title={t('token.empty_title')} text={t('token.empty_text')} action={create} />}
        footer={<Pager paging={list.paging} page={tokens.data} />}
      />
      {creating && <CreateTokenModal onClose={() => setCreating(false)} />}
    </>
  );
}
