import type { Service } from '@/api/types';
import { DeleteModal } from './DeleteModal';
import { RebalanceModal } from './RebalanceModal';
import { RestartModal } from './RestartModal';
import { ScaleModal } from './ScaleModal';
import { UpgradeModal } from './UpgradeModal';

export interface ServiceActionChoice {
  kind: 'upgrade' | 'scale' | 'restart' | 'rebalance' | 'delete';
  service: Service;
}

interface Props {
  choice: ServiceActionChoice | undefined;
  onClose: () => void;
}

/** The dialog of the action that was chosen. */
export function ServiceAction({ choice, onClose }: Props) {
  if (!choice) return null;
  const { service } = choice;
  switch (choice.kind) {
    case 'upgrade':
      return <UpgradeModal service={service} onClose={onClose} />;
    case 'scale':
      return <ScaleModal service={service} onClose={onClose} />;
    case 'restart':
      return <RestartModal service={service} onClose={onClose} />;
    case 'rebalance':
      return <RebalanceModal service={service} onClose={onClose} />;
    case 'delete':
      return <DeleteModal service={service} onClose={onClose} />;
  }
}
