import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { client, read, send } from '@/api/client';
import { asApiError } from '@/api/error';
import { EmptyPanel } from '@/components/EmptyPanel';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PageHeader } from '@/components/PageHeader';
import { Pager } from '@/components/Pager';
import { PermitButton } from '@/components/PermitButton';
import { rowsOf } from '@/components/rowsOf';
import { Section } from '@/components/Section';
import { TypeNameModal } from '@/components/TypeNameModal';
import { useListState } from '@/components/useListState';
import { SessionTable } from '@/features/session/SessionTable';
import { TokenTable } from '@/features/session/TokenTable';
import { useSession } from '@/features/session/session';
import { BindingTable } from './BindingTable';
import { EditUserModal } from './EditUserModal';
import { GiveRoleModal } from './GiveRoleModal';
import { LockTable } from './LockTable';
import { ResetPasswordModal } from './ResetPasswordModal';
import { UserTags } from './UserTags';
import styles from './company.module.css';

type Dialog = 'edit' | 'give' | 'reset' | 'delete';

/** One person: roles, sessions, tokens, what is closed to them. */
export function Page() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { user: name = '' } = useParams();
  const own = useSession().user.name === name;
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);
  const path = { params: { path: { user: name } } };
  const user = useQuery(read('/api/v1/users/{user}', path));
  const { limit, cursor, paging } = useListState();
  const bindings = useQuery({
    ...read('/api/v1/bindings', { params: { query: { user: name, limit, cursor } } }),
    placeholderData: keepPreviousData,
  });
  const sessions = useQuery(read('/api/v1/users/{user}/sessions', path));
  const tokens = useQuery(read('/api/v1/users/{user}/api-tokens', path));
  const locks = useQuery(read('/api/v1/sign-in-locks', { params: { query: { q: name } } }));
  const switchOff = useMutation({
    mutationFn: (disabled: boolean) =>
      send(client.PATCH('/api/v1/users/{user}', { ...path, body: { disabled } })),
    onSuccess: ({ disabled }) => {
      void queries.invalidateQueries();
      void message.success(t(disabled ? 'company.user_disabled' : 'company.user_enabled', { name }));
    },
  });
  const endAll = useMutation({
    mutationFn: () => client.DELETE('/api/v1/users/{user}/sessions', path),
    onSuccess: () => {
      void queries.invalidateQueries();
      void message.success(t('sessions.ended_all'));
    },
  });
  const remove = useMutation({
    mutationFn: () => client.DELETE('/api/v1/users/{user}', path),
    onSuccess: () => {
      void message.success(t('company.user_deleted', { name }));
      void navigate('/company/users');
      void queries.invalidateQueries();
    },
  });

  const gone = user.error !== null && asApiError(user.error).status === 404;
  if (!user.data || gone) {
    if (!user.error) return <Skeleton active paragraph={{ rows: 6 }} />;
    return gone ? (
      <EmptyPanel whole title={t('company.user_gone', { name })} text={t('company.user_gone_text')} />
    ) : (
      <ErrorPanel error={user.error} onRetry={() => void user.refetch()} />
    );
  }
  const { data } = user;
  const myself = own ? t('company.not_oneself') : undefined;
  const closed = (locks.data?.items ?? []).filter((lock) => lock.name === name);
  return (
    <>
      <PageHeader
        title={data.display_name || data.name}
        trail={[{ to: '/company/users', label: t('company.users') }]}
        badge={<UserTags user={data} />}
        subtitle={
          <>
            <span className="mono">{data.name}</span>
            {data.email && ` · ${data.email}`}
          </>
        }
        actions={
          <>
            <PermitButton permission="user:write" onClick={() => setDialog('edit')}>
              {t('action.edit')}
            </PermitButton>
            <PermitButton permission="user:write" blocked={myself} onClick={() => setDialog('reset')}>
              {t('company.reset')}
            </PermitButton>
            <PermitButton
              permission="user:write"
              blocked={myself}
              loading={switchOff.isPending}
              onClick={() => switchOff.mutate(!data.disabled)}
            >
              {t(data.disabled ? 'company.enable' : 'company.disable')}
            </PermitButton>
            <PermitButton danger permission="user:write" blocked={myself} onClick={() => setDialog('delete')}>
              {t('action.delete')}
            </PermitButton>
          </>
        }
      />
      <div className={styles.stack}>
        {switchOff.error && <ErrorPanel inline error={switchOff.error} />}
        {endAll.error && <ErrorPanel inline error={endAll.error} />}
        {closed.length > 0 && (
          <Section title={t('company.locks')} hint={t('company.locks_text')} flush>
            <LockTable
              bare
              items={closed}
              loading={locks.isLoading}
              error={locks.error}
              onRetry={() => void locks.refetch()}
              empty={null}
            />
          </Section>
        )}
        <Section
          title={t('company.bindings')}
          flush
          extra={
            <PermitButton
              size="small"
              icon={<PlusOutlined aria-hidden />}
              permission="user:write"
              onClick={() => setDialog('give')}
            >
              {t('company.give')}
            </PermitButton>
          }
        >
          <BindingTable
            bare
            ofUser
            label={t('company.bindings')}
            {...rowsOf(bindings)}
            empty={<EmptyPanel compact title={t('company.no_bindings')} text={t('company.no_role_text')} />}
            footer={<Pager paging={paging} page={bindings.data} />}
          />
        </Section>
        <Section
          title={t('sessions.title')}
          flush
          extra={
            <PermitButton
              size="small"
              permission="user:write"
              disabled={!sessions.data?.items.length}
              loading={endAll.isPending}
              onClick={() => endAll.mutate()}
            >
              {t('sessions.end_all')}
            </PermitButton>
          }
        >
          <SessionTable bare {...rowsOf(sessions)} />
        </Section>
        <Section title={t('session.tokens')} flush>
          <TokenTable
            bare
            {...rowsOf(tokens)}
            empty={<EmptyPanel compact title={t('token.empty_title')} text={t('company.no_tokens_text')} />}
          />
        </Section>
      </div>
      {dialog === 'edit' && <EditUserModal user={data} onClose={close} />}
      {dialog === 'give' && <GiveRoleModal user={name} onClose={close} />}
      {dialog === 'reset' && <ResetPasswordModal user={name} onClose={close} />}
      {dialog === 'delete' && (
        <TypeNameModal
          name={name}
          title={t('company.delete_title', { name })}
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={close}
        >
          <p>{t('company.delete_text')}</p>
        </TypeNameModal>
      )}
    </>
  );
}
