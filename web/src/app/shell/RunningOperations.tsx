import { SyncOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/client';
import { isPermittedSomewhere } from '@/features/session/roles';
import { useSession } from '@/features/session/session';

const OperationsDrawer = lazy(async () => ({
  default: (await import('./OperationsDrawer')).OperationsDrawer,
}));

/** How much is under way, from every page; opens what it is. */
export function RunningOperations() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const { grants } = useSession();
  const running = useQuery({
    ...read('/api/v1/operations', { params: { query: { state: 'running,waiting', limit: 20 } } }),
    enabled: isPermittedSomewhere(grants, 'operation:read'),
  });
  const count = running.data?.total_estimate ?? 0;
  return (
    <>
      <Button
        type="text"
        icon={<SyncOutlined aria-hidden spin={count > 0} />}
        aria-label={t('operations.count', { count })}
        aria-expanded={open}
        onClick={() => setOpen(true)}
      >
        {count > 0 ? count : null}
      </Button>
      {open && (
        <Suspense fallback={null}>
          <OperationsDrawer running={running} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
