import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { EmptyPanel } from '@/components/EmptyPanel';
import { PermitButton } from '@/components/PermitButton';
import { Section } from '@/components/Section';
import { BindingTable } from '@/features/company/BindingTable';
import { GiveRoleModal } from '@/features/company/GiveRoleModal';

const MEMBERS_AT_FIRST = 20;
const MEMBERS_AT_MOST = 500;

/** Who has a role in a project. */
export function Members({ project }: { project: string }) {
  const { t } = useTranslation();
  const [limit, setLimit] = useState(MEMBERS_AT_FIRST);
  const [adding, setAdding] = useState(false);
  const members = useQuery({
    ...read('/api/v1/projects/{project}/members', {
      params: { path: { project }, query: { limit } },
    }),
    placeholderData: keepPreviousData,
  });
  return (
    <Section
      title={t('project.members')}
      hint={t('project.members_hint')}
      flush
      extra={
        <PermitButton
          size="small"
          icon={<PlusOutlined aria-hidden />}
          permission="user:write"
          onClick={() => setAdding(true)}
        >
          {t('project.add_member')}
        </PermitButton>
      }
    >
      <BindingTable
        bare
        hide="project"
        label={t('project.members')}
        items={members.data?.items}
        loading={members.isLoading}
        error={members.error}
        onRetry={() => void members.refetch()}
        empty={<EmptyPanel compact title={t('project.no_members')} text={t('project.no_members_text')} />}
        footer={
          members.data?.next_cursor && (
            <p style={{ padding: '8px 16px' }}>
              <Button type="link" size="small" onClick={() => setLimit(MEMBERS_AT_MOST)}>
                {t('project.all_members', { count: members.data.total_estimate })}
              </Button>
            </p>
          )
        }
      />
      {adding && <GiveRoleModal project={project} onClose={() => setAdding(false)} />}
    </Section>
  );
}
