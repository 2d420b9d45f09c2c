import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import { GrantModal } from '@/features/company/GrantModal';
import { CandidatePicker } from '@/features/company/PersonPickers';

/** Gives somebody a role in a project, as its owners may. */
export function AddMemberModal({ project, onClose }: { project: string; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <GrantModal
      title={t('project.add_member')}
      project={project}
      people={<CandidatePicker project={project} />}
      give={({ user, role, environment }) =>
        send(
          client.POST('/api/v1/projects/{project}/members', {
            params: { path: { project } },
            body: { user, role, environment },
          }),
        )
      }
      onClose={onClose}
    />
  );
}
