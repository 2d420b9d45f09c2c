import { Drawer } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Service } from '@/api/types';
import { RevisionDiffView } from './RevisionDiffView';

interface Props {
  service: Service;
  from: number;
  to: number;
  onClose: () => void;
}

export function CompareDrawer({ service, from, to, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Drawer open size="min(860px, 96vw)" title={t('revision.compare_title', { from, to })} onClose={onClose}>
      <RevisionDiffView service={service} from={from} to={to} />
    </Drawer>
  );
}
