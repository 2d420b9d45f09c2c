import type { Service } from '@/api/types';
import { AcceptRiskModal } from './AcceptRiskModal';
import { DeleteModal } from './DeleteModal';
import { RebalanceModal } from './RebalanceModal';
import { RestartModal } from './RestartModal';
import { ScaleModal } from './ScaleModal';
import { UpgradeModal } from './UpgradeModal';
import { pathOf } from './useServiceMutation';

export type ServiceActionChoice =
  | { kind: 'upgrade' | 'scale' | 'restart' | 'rebalance' | 'delete'; service: Service }
  | { kind: 'accept_risk'; service: Service; clusters: string[] };

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
    case 'accept_risk':
      return <AcceptRiskModal address={pathOf(service)} clusters={choice.clusters} onClose={onClose} />;
    case 'delete':
      return <DeleteModal service={service} onClose={onClose} />;
  }
}
