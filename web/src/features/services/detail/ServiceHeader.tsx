import { DeleteOutlined, EditOutlined, MoreOutlined, ReloadOutlined } from '@ant-design/icons';
import { Button, Dropdown, Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import type { Service } from '@/api/types';
import { Age } from '@/components/Age';
import { CopyButton } from '@/components/CopyText';
import { Image } from '@/components/Image';
import { PageHeader } from '@/components/PageHeader';
import { servicePath } from '@/components/paths';
import { PermitButton } from '@/components/PermitButton';
import { Replicas } from '@/components/Replicas';
import { ServiceStateTag } from '@/components/StateTag';
import { usePermits } from '@/features/session/permissions';
import type { ServiceActionChoice } from '../actions/ServiceAction';
import styles from './detail.module.css';

interface Props {
  service: Service;
  onAction: (choice: ServiceActionChoice) => void;
}

export function ServiceHeader({ service, onAction }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const permit = usePermits();
  const { project, environment, name, status } = service;
  const address = { project, environment, service: name };
  const blocked = service.deleting ? t('service.being_deleted') : undefined;
  const restart = permit('service:release', address).reason ?? blocked;
  const remove = permit('service:delete', address).reason ?? blocked;
  const facts: [string, React.ReactNode][] = [
    [t('word.replicas'), <Replicas key="r" {...status} />],
    [
      t('word.image'),
      <span key="i" className={styles.image}>
        <Image image={service.image} />
        <CopyButton text={service.image} label={t('service.copy_image')} />
      </span>,
    ],
    [
      t('word.revision'),
      <span key="v" className="number">
        {service.revision}
        {service.latest_revision > service.revision && (
          <span className="faint">
            {' '}
            · {t('service.newer_revision', { revision: service.latest_revision })}
          </span>
        )}
      </span>,
    ],
    [
      t('service.state_since'),
      <span key="s">
        <Age at={status.since} />
      </span>,
    ],
    [
      t('service.last_change'),
      <span key="u">
        <Age at={service.updated_at} /> <span className="faint">· {service.updated_by}</span>
      </span>,
    ],
  ];
  return (
    <>
      <PageHeader
        title={name}
        trail={[
          { to: '/services', label: t('menu.services') },
          { to: `/services?project=${project}`, label: project },
          { to: `/services?project=${project}&environment=${environment}`, label: environment },
        ]}
        badge={<ServiceStateTag status={status} />}
        subtitle={service.description || undefined}
        actions={
          <>
            <PermitButton
              type="primary"
              permission="service:release"
              scope={address}
              blocked={blocked}
              onClick={() => onAction({ kind: 'upgrade', service })}
            >
              {t('service.upgrade')}
            </PermitButton>
            <PermitButton
              permission="service:write"
              scope={address}
              blocked={blocked}
              onClick={() => onAction({ kind: 'scale', service })}
            >
              {t('service.scale')}
            </PermitButton>
            <PermitButton
              permission="service:write"
              scope={address}
              blocked={blocked}
              icon={<EditOutlined aria-hidden />}
              onClick={() => void navigate(servicePath(address, 'edit'))}
            >
              {t('action.edit')}
            </PermitButton>
            <Dropdown
              trigger={['click']}
              placement="bottomRight"
              menu={{
                items: [
                  {
                    key: 'restart',
                    icon: <ReloadOutlined aria-hidden />,
                    disabled: restart !== undefined,
                    label: <Tooltip title={restart}>{t('service.restart')}</Tooltip>,
                    onClick: () => onAction({ kind: 'restart', service }),
                  },
                  {
                    key: 'delete',
                    danger: true,
                    icon: <DeleteOutlined aria-hidden />,
                    disabled: remove !== undefined,
                    label: <Tooltip title={remove}>{t('action.delete')}</Tooltip>,
                    onClick: () => onAction({ kind: 'delete', service }),
                  },
                ],
              }}
            >
              <Button icon={<MoreOutlined aria-hidden />} aria-label={t('service.more_actions')} />
            </Dropdown>
          </>
        }
      />
      <dl className={styles.facts}>
        {facts.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
