import { Button, type ButtonProps, Tooltip } from 'antd';
import { type Scope, usePermission } from '@/features/session/permissions';

interface Props extends ButtonProps {
  permission: string;
  scope?: Scope | 'anywhere';
  /** Why it can't be done now, whoever asks. */
  blocked?: string;
}

/** A button that says why it is disabled for who may not use it. */
export function PermitButton({ permission, scope, blocked, ...button }: Props) {
  const { allowed, reason } = usePermission(permission, scope);
  const why = allowed ? blocked : reason;
  return (
    <Tooltip title={why}>
      <Button {...button} disabled={why !== undefined || button.disabled} />
    </Tooltip>
  );
}
