import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import { GrantModal } from '@/features/company/GrantModal';
import { CandidatePicker } from '@/features/company/PersonPickers';

interface Props {
  project: string;
  /** The environments that the giver owns; undefined for the whole project. */
  within: string[] | undefined;
  onClose: () => void;
}

/** Gives somebody a role in a project or in one environment of it, as its owners may. */
export function AddMemberModal({ project, within, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <GrantModal
      title={t('project.add_member')}
      project={project}
      within={within}
      people={<CandidatePicker project={project} environment={within?.[0]} />}
      give={({ user, role, environment }) => {
        const body = { user, role };
        return environment
          ? send(
              client.POST('/api/v1/projects/{project}/environments/{environment}/members', {
                params: { path: { project, environment } },
                body,
              }),
            )
          : send(client.POST('/api/v1/projects/{project}/members', { params: { path: { project } }, body }));
      }}
      onClose={onClose}
    />
  );
}
