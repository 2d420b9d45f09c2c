import { PlusOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { EmptyPanel } from '@/components/EmptyPanel';
import { Pager } from '@/components/Pager';
import { PermitButton } from '@/components/PermitButton';
import { rowsOf } from '@/components/rowsOf';
import { Section } from '@/components/Section';
import { useListState } from '@/components/useListState';
import { BindingTable } from '@/features/company/BindingTable';
import { environmentsWith } from '@/features/session/roles';
import { useSession } from '@/features/session/session';
import { AddMemberModal } from './AddMemberModal';

/** Who has a role in a project. */
export function Members({ project }: { project: string }) {
  const { t } = useTranslation();
  const { limit, cursor, paging } = useListState();
  const [adding, setAdding] = useState(false);
  const within = environmentsWith(useSession().grants, 'member:write', project);
  const members = useQuery({
    ...read('/api/v1/projects/{project}/members', {
      params: { path: { project }, query: { limit, cursor } },
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
          permission="member:write"
          scope={{ project, environment: within?.[0] }}
          onClick={() => setAdding(true)}
        >
          {t('project.add_member')}
        </PermitButton>
      }
    >
      <BindingTable
        bare
        project={project}
        label={t('project.members')}
        {...rowsOf(members)}
        empty={<EmptyPanel compact title={t('project.no_members')} text={t('project.no_members_text')} />}
        footer={<Pager paging={paging} page={members.data} />}
      />
      {adding && <AddMemberModal project={project} within={within} onClose={() => setAdding(false)} />}
    </Section>
  );
}
