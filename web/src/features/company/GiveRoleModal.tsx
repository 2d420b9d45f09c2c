import { useTranslation } from 'react-i18next';
import { client, send } from '@/api/client';
import { GrantModal } from './GrantModal';
import { UserPicker } from './PersonPickers';
import { grantOf } from './scope';

/** Gives somebody a role: a given user, or one to choose; in a given project, or anywhere. */
export function GiveRoleModal(props: { user?: string; project?: string; onClose: () => void }) {
  const { user, project, onClose } = props;
  const { t } = useTranslation();
  return (
    <GrantModal
      title={user ? t('company.give_to', { user }) : t('company.give')}
      project={project}
      people={user === undefined && <UserPicker />}
      give={(values) =>
        send(
          client.POST('/api/v1/bindings', {
            body: {
              user: user ?? values.user,
              grant: grantOf(values.role, project ?? values.project, values.environment),
            },
          }),
        )
      }
      onClose={onClose}
    />
  );
}
