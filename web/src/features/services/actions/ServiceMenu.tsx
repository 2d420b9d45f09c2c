import { MoreOutlined } from '@ant-design/icons';
import { Button, Dropdown, Tooltip, type MenuProps } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import type { Service } from '@/api/types';
import { servicePath } from '@/components/paths';
import { usePermits } from '@/features/session/permissions';
import type { ServiceActionChoice } from './ServiceAction';

interface Props {
  service: Service;
  onAction: (choice: ServiceActionChoice) => void;
}

/** What can be done with a service from its row. */
export function ServiceMenu({ service, onAction }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const permit = usePermits();
  const address = { project: service.project, environment: service.environment, service: service.name };
  const deleting = service.deleting ? t('service.being_deleted') : undefined;

  const item = (key: string, label: string, permission: string, onClick: () => void, danger = false) => {
    const why = permit(permission, address).reason ?? deleting;
    return {
      key,
      danger,
      disabled: why !== undefined,
      label: why ? <Tooltip title={why}>{label}</Tooltip> : label,
      onClick,
    };
  };
  const items: MenuProps['items'] = [
    item('upgrade', t('service.upgrade'), 'service:release', () => onAction({ kind: 'upgrade', service })),
    item('scale', t('service.scale'), 'service:write', () => onAction({ kind: 'scale', service })),
    item('edit', t('action.edit'), 'service:write', () => void navigate(servicePath(address, 'edit'))),
    item('restart', t('service.restart'), 'service:release', () => onAction({ kind: 'restart', service })),
    { key: 'logs', label: t('service.logs'), onClick: () => void navigate(servicePath(address, 'logs')) },
    { type: 'divider' },
    item('delete', t('action.delete'), 'service:delete', () => onAction({ kind: 'delete', service }), true),
  ];
  return (
    <Dropdown trigger={['click']} menu={{ items }} placement="bottomRight">
      <Button
        type="text"
        icon={<MoreOutlined aria-hidden />}
        aria-label={t('service.actions_of', { name: service.name })}
      />
    </Dropdown>
  );
}
